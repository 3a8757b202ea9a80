"""When a domain's records are looked up again, and what a round of look-ups says about the domain."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from postroom.core.mail.types import DnsRecord, DomainState, RecordFinding, RecordPurpose, RecordStatus

SETTLED_GAP: Final = timedelta(days=1)
KEPT_AFTER_RETIREMENT: Final = timedelta(days=30)
"""How long a retired key's record stays published: longer than any queue keeps mail (RFC 6376, section 3.1)."""

PATIENCE: Final = timedelta(days=3)
"""How long a domain whose records are not there counts as one whose records are yet to come."""

_GAPS: Final = (
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(minutes=30)),
    (timedelta(days=7), timedelta(hours=3)),
)
"""Up to which age a change is looked for how often: somebody who has just published a record waits for it."""


def next_check(*, changed_at: datetime, is_settled: bool, now: datetime) -> datetime:
    """Return when to look again, ``changed_at`` being when somebody last asked for a change."""
    if is_settled:
        return now + SETTLED_GAP
    age = now - changed_at
    return now + next((gap for limit, gap in _GAPS if age < limit), SETTLED_GAP)


def judge_domain(
    *, verified_at: datetime | None, lost_at: datetime | None, asked_at: datetime, now: datetime
) -> DomainState:
    """Return where a domain stands; ``asked_at`` is when somebody last asked for it."""
    if verified_at is not None:
        return DomainState.VERIFIED
    if lost_at is not None and now - lost_at < PATIENCE:
        return DomainState.LOST
    return DomainState.PENDING if now - asked_at < PATIENCE else DomainState.FAILED


def passes(results: Iterable[tuple[DnsRecord, RecordStatus]], *purposes: RecordPurpose) -> bool:
    """Whether every record of ``purposes`` is as it should be; without purposes, every required record."""
    wanted = [status for record, status in results if (record.purpose in purposes if purposes else record.is_required)]
    return bool(wanted) and all(status is RecordStatus.OK for status in wanted)


def settle(finding: RecordFinding, known: RecordStatus | None) -> RecordStatus:
    """Return the state to note: where nobody answered, what was known stays."""
    return known if finding.status is RecordStatus.UNKNOWN and known is not None else finding.status
