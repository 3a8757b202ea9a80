"""What goes into composing and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from postroom.core.mail.rules.tokens import Seal
from postroom.core.mail.types import Attachment, MessageClass
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
class Letterhead:
    """What all messages of one mailing share.

    Addresses are written ``Name <address>`` or bare. ``public_url`` is where links lead, without a slash at the end.
    Without ``reply_to`` answers go to an address of the message's own in ``reply_domain``, or where From says.
    """

    content_id: int
    from_: str
    public_url: str
    reply_to: tuple[str, ...] = ()
    reply_domain: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    list_unsubscribe: bool = False


class Letter(NamedTuple):
    """One message of a mailing: to whom, when, and with what. Addresses as on the letterhead."""

    seal: Seal
    to: tuple[str, ...]
    message_id_header: str
    date: datetime
    slots: Mapping[str, JSONValue]
    cc: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class Filling(NamedTuple):
    """What the gaps of one message are filled from: its values, and the tokens that our own addresses end in."""

    slots: Mapping[str, JSONValue]
    public_url: str
    track: str
    unsubscribe: str
