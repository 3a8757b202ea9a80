"""Contents, compiled for rendering."""

from functools import lru_cache

from postroom.core.mail.models import Content
from postroom.core.mail.rules import compose


@lru_cache(maxsize=256)
def load_compiled_content(*, content_id: int) -> compose.CompiledContent:
    """Return a content ready to render; contents never change, so the last ones are kept compiled."""
    content = Content.objects.prefetch_related("links").get(pk=content_id)
    links = sorted(content.links.all(), key=lambda link: link.index)
    return compose.compile_content(
        compose.FrozenContent(
            subject=content.subject,
            html=content.html,
            text=content.text,
            links=tuple(compose.Link(index=link.index, url=link.url, label=link.label) for link in links),
            tracks_opens=content.tracks_opens,
            tracks_clicks=content.tracks_clicks,
        )
    )
