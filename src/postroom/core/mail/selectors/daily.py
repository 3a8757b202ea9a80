"""What happened to a workspace's mail day by day, from the counts that are kept while it happens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from postroom.core.mail.models import Pace, SenderAccount
from postroom.core.workspaces.models import Workspace

_DEEDS: Final = ("sent", "delivered", "opened", "clicked", "bounced", "complained")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages came so far; opens and clicks are those of people."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    complained: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in _DEEDS))


def count_days(
    *, workspace: Workspace, days: int, now: datetime, domain_id: int | None = None
) -> list[tuple[date, Counts]]:
    """Return the counts of today and of each of the ``days`` before it (UTC), oldest first, of one domain or of all."""
    first = (now.astimezone(UTC) - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = _paces(workspace, domain_id).filter(at__gte=first)
    sums = rows.annotate(day=TruncDate("at", tzinfo=UTC)).values("day").annotate(*map(Sum, _DEEDS))
    found = {row["day"]: _counts(row) for row in sums}
    return [(day, found.get(day, Counts())) for day in (first.date() + timedelta(days=n) for n in range(days + 1))]


def count_ever(*, workspace: Workspace, domain_id: int | None = None) -> Counts:
    """Return the counts since the beginning, of one domain or of all."""
    return _counts(_paces(workspace, domain_id).aggregate(*map(Sum, _DEEDS)))


def _paces(workspace: Workspace, domain_id: int | None) -> QuerySet[Pace]:
    rows = Pace.objects.filter(workspace=workspace)
    if domain_id is None:
        return rows
    senders = SenderAccount.objects.filter(workspace=workspace, domain_id=domain_id)
    return rows.filter(sender__in=list(senders.values_list("pk", flat=True)))


def _counts(row: Mapping[str, Any]) -> Counts:
    return Counts(*(row[f"{name}__sum"] or 0 for name in _DEEDS))
