"""The parts of a single message that a caller names: who gets it, its extra header fields, its files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from postroom.core.contacts import rules
from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.attachments import check_attachments
from postroom.core.mail.rules.headers import check_header
from postroom.core.mail.types import Attachment

MAX_RECIPIENTS: Final = 50
MAX_HEADERS: Final = 102
"""Extra header fields: a hundred of the caller's, and the two that put a message under the one it answers."""


def check_parts(
    what: str, recipients: tuple[int, int], headers: Mapping[str, str], attachments: Sequence[Attachment]
) -> None:
    """Refuse ``what`` no sender could send; ``recipients`` counts those of ``to``, and all.

    Raises BadMessage, BadHeader or BadAttachment.
    """
    to, together = recipients
    if not to:
        raise BadMessage(f"{what} has no recipient.")
    if together > MAX_RECIPIENTS:
        raise BadMessage(f"{what} has more than {MAX_RECIPIENTS} recipients.")
    if len(headers) > MAX_HEADERS:
        raise BadMessage(f"{what} has more than {MAX_HEADERS} extra header fields.")
    for name, value in headers.items():
        check_header(name, value)
    if attachments:
        check_attachments(attachments)


def normalise_all(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return addresses in their one spelling. Raises BadAddress."""
    return tuple(map(rules.normalise_email, addresses))
