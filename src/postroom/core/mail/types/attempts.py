"""Values of what was said when a message was handed over."""

from dataclasses import dataclass
from datetime import datetime

from postroom.core.mail.types.words import RefusalKind


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over of a message: how it ended (``outcome``: sent, deferred, failed, in_doubt), what the server said
    last, the connection it went over and what was said before; ``kind`` what it was refused for.
    """

    at: datetime
    outcome: str
    code: int
    enhanced: str
    text: str
    session: str = ""
    dialogue: str = ""
    kind: RefusalKind | None = None
    refused: tuple[tuple[str, int, str], ...] = ()
