"""How the mailbox providers take a domain's mail: from the counts that are kept while it is sent."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Sum

from postroom.core.mail.models import Batch, Domain, SenderAccount, Tally
from postroom.core.mail.types import BatchStatus, DestinationHealth
from postroom.core.workspaces.models import Workspace


def measure_health(*, domain: Domain, days: int, now: datetime) -> list[DestinationHealth]:
    """Return how each destination took the campaigns that a domain signed in the last ``days``, the largest first."""
    senders = SenderAccount.objects.filter(domain=domain).values_list("pk", flat=True)
    return _measure(domain.workspace_id, senders, now - timedelta(days=days))


def measure_senders(*, sender_ids: Iterable[int], workspace: Workspace, days: int, now: datetime) -> DestinationHealth:
    """Return how all destinations together took the campaigns of some accounts in the last ``days``."""
    found = _measure(workspace.pk, sender_ids, now - timedelta(days=days))
    return DestinationHealth(
        destination="",
        sent=sum(one.sent for one in found),
        bounced=sum(one.bounced for one in found),
        complained=sum(one.complained for one in found),
        deferred=sum(one.deferred for one in found),
    )


def count_sent_today(*, sender_ids: Iterable[int], workspace: Workspace, now: datetime) -> int:
    """Return how many people the campaigns of some accounts were begun for within a day."""
    since = now - timedelta(days=1)
    batches = Batch.objects.filter(workspace=workspace, sender_id__in=sender_ids, created_at__gt=since)
    wanted = batches.exclude(status=BatchStatus.CANCELLED).aggregate(people=Sum("total"))
    return int(wanted["people"] or 0)


def _measure(workspace_id: int, sender_ids: Iterable[int], since: datetime) -> list[DestinationHealth]:
    batches = Batch.objects.filter(workspace=workspace_id, sender_id__in=list(sender_ids), created_at__gte=since)
    ids = list(batches.values_list("pk", flat=True))
    if not ids:
        return []
    rows = (
        Tally.objects.filter(batch_id__in=ids)
        .values(name=F("destination"))
        .annotate(
            sent=Sum("handed_over"), bounced=Sum("bounced"), complained=Sum("complained"), deferred=Sum("waiting")
        )
        .order_by("-sent", "name")
    )
    return [
        DestinationHealth(row["name"], row["sent"], row["bounced"], row["complained"], row["deferred"]) for row in rows
    ]
