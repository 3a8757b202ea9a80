"""Letting a destination rest that asked us to slow down for most of what we brought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from postroom.core.mail.models import Chunk, DestinationRest
from postroom.core.mail.rules.refusals import quote
from postroom.core.mail.services.ledger import Settled, clean
from postroom.core.mail.types import BatchStatus, ChunkStatus, RefusalKind

FEWEST: Final = 10
"""So many must have been put off before it says something about the destination."""

FIRST_REST: Final = timedelta(minutes=10)
LONGEST_REST: Final = timedelta(hours=4)


def note_deferrals(
    *, sender_id: int, destination: str, settled: Sequence[Settled], sent: int, now: datetime
) -> datetime | None:
    """Let ``destination`` rest when it put off most of what one claim brought it, and move the campaigns' chunks for it
    behind that rest: else a million recipients would each be refused once. Return until when; mail that somebody waits
    for is tried all the same.
    """
    limited = [one for one in settled if one.judgement.kind is RefusalKind.RATE_LIMITED]
    answered = sent + sum(1 for one in settled if one.handover.result is not None)
    if len(limited) < FEWEST or 2 * len(limited) <= answered:
        return None
    rest = _rest(sender_id, destination, _said(limited[-1]), now)
    _move_chunks(sender_id, destination, rest.until)
    return rest.until


def _rest(sender_id: int, destination: str, reason: str, now: datetime) -> DestinationRest:
    """Return the rest that goes on or begins; one that follows close upon another is twice as long."""
    rest, is_new = DestinationRest.objects.select_for_update().get_or_create(
        sender_id=sender_id,
        destination=destination,
        defaults={"until": now + FIRST_REST, "noted_at": now, "reason": reason},
    )
    if is_new or rest.until > now:
        return rest
    is_again = now < rest.until + (rest.until - rest.noted_at)
    rest.strikes = rest.strikes + 1 if is_again else 1
    rest.until = now + min(FIRST_REST * (1 << min(rest.strikes - 1, 10)), LONGEST_REST)
    rest.noted_at, rest.reason = now, reason
    rest.save(update_fields=["strikes", "until", "noted_at", "reason"])
    return rest


def _move_chunks(sender_id: int, destination: str, until: datetime) -> None:
    """Claimed ones stay: whoever has them finds out. One that is held (no time yet) stays held."""
    waiting = Chunk.objects.filter(
        Q(status=ChunkStatus.QUEUED),
        batch__sender_id=sender_id,
        batch__status__in=(BatchStatus.SENDING, BatchStatus.PAUSING, BatchStatus.PAUSED),
        destination=destination,
        ready_at__lt=until,
    )
    locked = waiting.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", flat=True)
    Chunk.objects.filter(pk__in=list(locked)).update(ready_at=until)


def _said(one: Settled) -> str:
    result = one.handover.result
    return clean(quote(result)) if result else ""
