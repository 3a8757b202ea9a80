"""Adding up the counts that the ledger's triggers append, and counting anew to see that they are right."""

from typing import Final

from django.db import connection, transaction

from postroom.core.mail.types import Destination

_STATES: Final = (
    *("booked", "handed_over", "delivered", "bounced", "bounced_later", "waiting", "in_doubt", "failed", "suppressed"),
    *("cancelled", "opened", "machine_opened", "clicked", "scanner_clicked", "complained", "unsubscribed", "replied"),
)
_DEEDS: Final = ("sent", "delivered", "opened", "clicked", "bounced", "complained")


def _fold(table: str, keys: tuple[str, ...], numbers: tuple[str, ...]) -> str:
    """Return the statement that takes loose rows and adds them to the folded ones, in the order of their keys so that
    two that fold at once never wait for each other in a ring.
    """
    key, names = ", ".join(keys), ", ".join(numbers)
    return f"""
WITH loose AS (
    DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE NOT is_folded ORDER BY id LIMIT %s
        FOR UPDATE SKIP LOCKED)
    RETURNING *
)
, folded AS (
    INSERT INTO {table} AS kept ({key}, is_folded, {names})
    SELECT {key}, true, {", ".join(f"sum({name})" for name in numbers)} FROM loose GROUP BY {key} ORDER BY {key}
    ON CONFLICT ({key}) WHERE is_folded
    DO UPDATE SET {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in numbers)}
)
SELECT count(*) FROM loose
"""  # noqa: S608 - made of constants


_FOLDS: Final = (
    _fold("mail_tally", ("batch_id", "destination", "content_id"), _STATES),
    _fold("mail_pace", ("workspace_id", "sender_id", "at"), _DEEDS),
    _fold("mail_batchpace", ("batch_id", "at"), ("opened", "machine_opened", "clicked", "scanner_clicked")),
    _fold("mail_linktally", ("batch_id", "content_id", "link_index"), ("clicks", "people", "scanner_clicks")),
)

# One statement sees one state of ledger and tallies, which change together: nobody has to wait for it.
_RECOUNT: Final = f"""
WITH counted AS (
    SELECT coalesce(nullif(m.destination, ''), %(other)s) AS destination, m.content_id, count(*) AS booked,
        count(*) FILTER (WHERE m.status = 'sent') AS handed_over,
        count(*) FILTER (WHERE m.status = 'sent' AND m.delivered_at IS NOT NULL AND m.bounced_at IS NULL) AS delivered,
        count(m.bounced_at) AS bounced,
        count(*) FILTER (WHERE m.status = 'sent' AND m.bounced_at IS NOT NULL) AS bounced_later,
        count(*) FILTER (WHERE m.status IN ('queued', 'claimed', 'wire', 'deferred') AND m.bounced_at IS NULL)
            AS waiting,
        count(*) FILTER (WHERE m.status = 'in_doubt' AND m.bounced_at IS NULL) AS in_doubt,
        count(*) FILTER (WHERE m.status = 'failed' AND m.bounced_at IS NULL) AS failed,
        count(*) FILTER (WHERE m.status = 'suppressed') AS suppressed,
        count(*) FILTER (WHERE m.status = 'cancelled') AS cancelled,
        count(m.opened_at) AS opened, count(m.machine_opened_at) AS machine_opened,
        count(m.clicked_at) AS clicked, count(m.scanner_clicked_at) AS scanner_clicked,
        count(m.complained_at) AS complained, count(m.unsubscribed_at) AS unsubscribed, count(m.replied_at) AS replied
    FROM mail_message m WHERE m.batch_id = %(batch_id)s GROUP BY 1, 2
)
INSERT INTO mail_tally (batch_id, destination, content_id, {", ".join(_STATES)})
SELECT %(batch_id)s, destination, content_id, {", ".join(f"sum({name})" for name in _STATES)} FROM (
    SELECT destination, content_id, {", ".join(_STATES)} FROM counted
    UNION ALL
    SELECT destination, content_id, {", ".join(f"-{name}" for name in _STATES)} FROM mail_tally
    WHERE batch_id = %(batch_id)s
) AS known GROUP BY destination, content_id HAVING {" OR ".join(f"sum({name}) <> 0" for name in _STATES)}
"""  # noqa: S608 - made of constants


def fold_tallies(*, limit: int) -> int:
    """Add up to ``limit`` appended differences of each kind into the sums; return how many the most numerous kind had.

    Safe to run several times at once, and to be killed: a difference is either loose or added.
    """
    return max(_run(fold, limit) for fold in _FOLDS)


def recount_batch(*, batch_id: int) -> bool:
    """Count a batch's messages one by one and append what its tally is wrong by; return whether it was wrong at all."""
    with connection.cursor() as cursor:
        cursor.execute(_RECOUNT, {"batch_id": batch_id, "other": Destination.OTHER.value})
        return bool(cursor.rowcount)


@transaction.atomic
def _run(statement: str, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit])
        return int(cursor.fetchone()[0])
