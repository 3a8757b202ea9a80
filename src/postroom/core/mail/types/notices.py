"""Values of notices: the few mails the system itself writes."""

from collections.abc import Mapping
from dataclasses import dataclass

from postroom.core.mail.types.messages import Composition
from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says: plain text in short paragraphs, and one button that leads to ``url``."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str
    url: str


@dataclass(frozen=True, slots=True)
class OwnLetter:
    """A mail of the system's own as it is composed; without a From it is from whom the workspace's mail is from."""

    composition: Composition
    slots: Mapping[str, JSONValue]
    from_address: str = ""
