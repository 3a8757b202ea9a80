"""Contents, compiled for rendering."""

from functools import lru_cache

from postroom.core.contacts import selectors as contacts
from postroom.core.mail.models import Content, Message
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.headers import format_address


@lru_cache(maxsize=256)
def load_compiled_content(*, content_id: int) -> compose.CompiledContent:
    """Return a content ready to render; contents never change, so the last ones are kept compiled."""
    return compose.compile_content(_load_frozen(content_id))


@lru_cache(maxsize=1024)
def load_from(*, content_id: int, from_email: str) -> str:
    """Return the From of a content that goes out under a name of its own, from ``from_email``; empty for all others."""
    name = Content.objects.values_list("from_name", flat=True).get(pk=content_id)
    return format_address(name, from_email) if name else ""


def show_message(*, message: Message) -> compose.Preview:
    """Return a message's words as its recipient reads them, with links to where they lead and without a pixel.

    What a campaign says of its reader is not kept with each message: it is shown as it is known today.
    """
    person_ids = [message.contact_id] if message.batch_id is not None and message.contact_id is not None else []
    profile = contacts.load_profiles(contact_ids=person_ids).get(message.contact_id or 0, {}) if person_ids else {}
    return compose.show(_load_frozen(message.content_id), {**profile, **message.slots})


def _load_frozen(content_id: int) -> compose.FrozenContent:
    content = Content.objects.prefetch_related("links").get(pk=content_id)
    links = sorted(content.links.all(), key=lambda link: link.index)
    return compose.FrozenContent(
        subject=content.subject,
        html=content.html,
        text=content.text,
        links=tuple(compose.Link(index=link.index, url=link.url, label=link.label) for link in links),
        tracks_opens=content.tracks_opens,
        tracks_clicks=content.tracks_clicks,
    )
