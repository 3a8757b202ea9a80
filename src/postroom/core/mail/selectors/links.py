"""Where the links of stored contents lead."""

from postroom.core.mail.models import TrackedLink


def find_link(*, content_id: int, index: int) -> str | None:
    """Return the address of link number ``index`` of a content, or None."""
    return TrackedLink.objects.filter(content_id=content_id, index=index).values_list("url", flat=True).first()
