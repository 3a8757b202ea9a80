"""Values of notices: the few mails the system itself writes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says: plain text in short paragraphs, and one button that leads to ``url``."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str
    url: str
