"""Contents, compiled for rendering."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from django.conf import settings

from postroom.core.mail.models import Content, Letter, Message, Template
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.selectors.readers import load_readers
from postroom.core.mail.types import BodyFormat, Composition, MessageClass
from postroom.kit.errors import AppError
from postroom.kit.types import JSONValue


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
    The links in mail of the system itself lead to the installation only.

    What a campaign says of its reader is not kept with each message: it is shown as it is known today.
    """
    return show_messages(messages=[message])[message.pk]


def show_messages(*, messages: Sequence[Message]) -> dict[int, compose.Preview]:
    """Return the same of many by key, in a few statements."""
    readers = load_readers(messages=[row for row in messages if row.batch_id is not None])
    letters = _load_letters([row.pk for row in messages if row.content_id is None])
    frozen = _find_contents(messages, letters)
    contents = _load_all_frozen(set(frozen.values()))
    shown = {}
    for row in messages:
        slots = {**readers.get(row.pk, {}), **_slots_for_others(row)}
        if row.pk in frozen:
            shown[row.pk] = compose.show(contents[frozen[row.pk]], slots)
        else:
            shown[row.pk] = _show_letter(row, letters.get(row.pk), slots)
    return shown


def _slots_for_others(message: Message) -> Mapping[str, JSONValue]:
    """Return what fills a message's gaps for anybody but its reader. Links in the system's own mail prove who follows
    them (they confirm, open or erase a person's data): they are shown to nobody else.
    """
    slots: Mapping[str, JSONValue] = message.slots
    if message.message_class != MessageClass.SYSTEM:
        return slots
    own = f"{settings.PUBLIC_URL}/"
    return {name: own if isinstance(said, str) and said.startswith(own) else said for name, said in slots.items()}


def _find_contents(messages: Sequence[Message], letters: Collection[int]) -> dict[int, int]:
    """Return the content of each message that has one. A letter that is gone was frozen since its message was read."""
    found = {row.pk: row.content_id for row in messages if row.content_id is not None}
    taken = [row.pk for row in messages if row.pk not in found and row.pk not in letters]
    if taken:
        rows = Message.objects.filter(pk__in=taken, content_id__isnull=False)
        found |= {pk: content_id for pk, content_id in rows.values_list("pk", "content_id") if content_id is not None}
    return found


def read_letter(*, letter: Letter, template: Template | None) -> Composition:
    """Return what a letter's words say to the composer: a program's are final, a template's are to be filled."""
    text = compose.quote_liquid(letter.text)
    if template is None:
        return Composition(
            subject=compose.quote_liquid(letter.subject), body=compose.quote_liquid(letter.html), text=text
        )
    body_format = BodyFormat(template.body_format)
    return Composition(
        subject=template.subject, body=template.body, body_format=body_format, text=text or template.text
    )


def _load_letters(message_ids: Collection[int]) -> dict[int, tuple[Letter, Template | None]]:
    """Return the letters of messages that no sender took yet, with their templates."""
    letters = list(Letter.objects.filter(pk__in=message_ids)) if message_ids else []
    wanted = {letter.template_id for letter in letters if letter.template_id is not None}
    templates = Template.objects.in_bulk(wanted) if wanted else {}
    return {letter.message_id: (letter, templates.get(letter.template_id or 0)) for letter in letters}


def _show_letter(
    message: Message, found: tuple[Letter, Template | None] | None, slots: Mapping[str, JSONValue]
) -> compose.Preview:
    """Return the words of a message that no sender took yet, or that none could: then as the program wrote them."""
    if found is None:
        return compose.Preview("", "", "")
    letter, template = found
    try:
        composition = read_letter(letter=letter, template=template)
        return compose.preview(composition, slots, MessageClass(message.message_class))
    except AppError:
        return compose.Preview(letter.subject, letter.html, letter.text)


def _load_frozen(content_id: int) -> compose.FrozenContent:
    try:
        return _load_all_frozen([content_id])[content_id]
    except KeyError as error:
        raise Content.DoesNotExist from error


def _load_all_frozen(content_ids: Collection[int]) -> dict[int, compose.FrozenContent]:
    if not content_ids:
        return {}
    rows = Content.objects.prefetch_related("links").filter(pk__in=content_ids)
    return {row.pk: _frozen(row) for row in rows}


def _frozen(content: Content) -> compose.FrozenContent:
    links = sorted(content.links.all(), key=lambda link: link.index)
    return compose.FrozenContent(
        subject=content.subject,
        html=content.html,
        text=content.text,
        links=tuple(compose.Link(index=link.index, url=link.url, label=link.label) for link in links),
        tracks_opens=content.tracks_opens,
        tracks_clicks=content.tracks_clicks,
    )
