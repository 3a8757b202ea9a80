"""What goes into composing and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from postroom.core.mail.types import MessageClass
from postroom.kit.types import JSONValue

BULK_CLASSES: Final = frozenset({MessageClass.MARKETING, MessageClass.OUTREACH})
"""Mail that nobody asked for by an act of their own: it always says how to stop it."""

UNSUBSCRIBE: Final = "unsubscribe_url"
PIXEL: Final = "open_pixel_url"
LINK: Final = "link_"


@dataclass(frozen=True, slots=True)
class Link:
    """A tracked link: where it leads, and the words a reader clicks on."""

    index: int
    url: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class FrozenContent:
    """A composition that will not change: three Liquid templates, links as ``{{ link_0 }}``, the unsubscribe link as
    ``{{ unsubscribe_url }}`` and the pixel as ``{{ open_pixel_url }}``. ``html`` is empty in a message of text alone.
    """

    subject: str
    html: str
    text: str
    links: tuple[Link, ...] = ()
    tracks_opens: bool = False
    tracks_clicks: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What one reader would see."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class RenderJob:
    """All that makes one message of a compiled content.

    Addresses are written ``Name <address>`` or bare. ``public_url`` is where links lead, without a slash at the end.
    """

    message_id: int
    content_id: int
    from_: str
    to: tuple[str, ...]
    message_id_header: str
    date: datetime
    public_url: str
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    slots: Mapping[str, JSONValue] = field(default_factory=dict)
    list_unsubscribe: bool = False
