"""Where the links of stored contents lead."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Max

from postroom.core.mail.models import TrackedLink

_PIECE = 2_000


def find_link(*, content_id: int, index: int) -> str | None:
    """Return the address of link number ``index`` of a content, or None."""
    return TrackedLink.objects.filter(content_id=content_id, index=index).values_list("url", flat=True).first()


def find_newest_links() -> int:
    """Return the key of the newest content that has links, 0 when there is none."""
    newest: int | None = TrackedLink.objects.aggregate(newest=Max("content_id"))["newest"]
    return newest or 0


def iter_links(*, after: int, since: datetime) -> Iterator[tuple[int, int, str, datetime]]:
    """Stream content, number, address and birth of the links of contents behind ``after`` and not older than
    ``since``, by content.
    """
    links = TrackedLink.objects.filter(content_id__gt=after, content__created_at__gte=since).order_by("content_id")
    return links.values_list("content_id", "index", "url", "content__created_at").iterator(_PIECE)
