"""Where a batch stands, counted from its recipients and the ledger in one statement."""

from typing import Final
from uuid import UUID

from django.db import connection

from postroom.core.mail.errors import NoSuchBatch
from postroom.core.mail.models import Batch
from postroom.core.mail.types import BatchCounts
from postroom.core.workspaces.models import Workspace

_COUNT: Final = """
SELECT b.total, b.status, (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.fenced)) AS fenced,
    count(m.id) AS booked,
    count(*) FILTER (WHERE m.status = 'sent') AS handed_over,
    count(*) FILTER (WHERE m.status = 'sent' AND m.delivered_at IS NOT NULL AND m.bounced_at IS NULL) AS delivered,
    count(m.bounced_at) AS bounced,
    count(*) FILTER (WHERE m.status IN ('queued', 'claimed', 'wire', 'deferred') AND m.bounced_at IS NULL) AS waiting,
    count(*) FILTER (WHERE m.status = 'in_doubt' AND m.bounced_at IS NULL) AS in_doubt,
    count(*) FILTER (WHERE m.status = 'failed' AND m.bounced_at IS NULL) AS failed,
    count(*) FILTER (WHERE m.status = 'suppressed') AS suppressed,
    count(*) FILTER (WHERE m.status = 'cancelled') AS cancelled,
    count(m.opened_at) AS opened, count(m.machine_opened_at) AS machine_opened,
    count(m.clicked_at) AS clicked, count(m.scanner_clicked_at) AS scanner_clicked,
    count(m.complained_at) AS complained, count(m.unsubscribed_at) AS unsubscribed, count(m.replied_at) AS replied,
    count(*) FILTER (WHERE m.status = 'sent' AND m.bounced_at IS NOT NULL) AS bounced_later
FROM mail_batch b LEFT JOIN mail_message m ON m.batch_id = b.id
WHERE b.id = %s GROUP BY b.id
"""


def get_batch(*, workspace: Workspace, uid: UUID) -> Batch:
    """Return a batch. Raises NoSuchBatch, also for one of another workspace."""
    found = Batch.objects.select_related("sender", "content").filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchBatch("There is no such batch in this workspace.")
    return found


def count_batch(*, batch_id: int) -> BatchCounts:
    """Return where a batch stands. Raises NoSuchBatch.

    Recipients without a row yet are pending, or cancelled once the batch is.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [batch_id])
        row = cursor.fetchone()
        if row is None:
            raise NoSuchBatch(f"There is no batch {batch_id}.")
        found = dict(zip((column.name for column in cursor.description), row, strict=True))
    unwritten = found["total"] - found["booked"]
    is_cancelled = found["status"] == "cancelled"
    # Handed over to a provider that has not said more yet: neither delivered nor bounced.
    unconfirmed = found["handed_over"] - found["delivered"] - found["bounced_later"]
    pending = found["waiting"] + unconfirmed + (0 if is_cancelled else unwritten)
    same = (
        "total",
        "fenced",
        "delivered",
        "bounced",
        "in_doubt",
        "failed",
        "suppressed",
        "opened",
        "machine_opened",
        "clicked",
        "scanner_clicked",
        "complained",
        "unsubscribed",
        "replied",
    )
    return BatchCounts(
        **{name: found[name] for name in same},
        sent=found["delivered"] + found["bounced"] + pending + found["in_doubt"],
        pending=pending,
        cancelled=found["cancelled"] + (unwritten if is_cancelled else 0),
    )
