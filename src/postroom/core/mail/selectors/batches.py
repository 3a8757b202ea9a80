"""Where a batch stands, from its tally: a handful of rows, however many its recipients are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Final, TypeVar

from django.db import connection

from postroom.core.mail.errors import NoSuchBatch
from postroom.core.mail.types import BatchCounts, BatchStatus, GroupCounts

K = TypeVar("K", int, str)

_NUMBERS: Final = (
    *("booked", "handed_over", "delivered", "bounced", "bounced_later", "waiting", "in_doubt", "failed", "suppressed"),
    *("cancelled", "opened", "machine_opened", "clicked", "scanner_clicked", "complained", "unsubscribed", "replied"),
)
_SAME: Final = (
    *("delivered", "bounced", "in_doubt", "failed", "suppressed", "opened", "machine_opened", "clicked"),
    *("scanner_clicked", "complained", "unsubscribed", "replied"),
)

_COUNT: Final = f"""
SELECT b.id AS batch_id, b.total, b.status,
    (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.fenced)) AS fenced,
    {", ".join(f"coalesce(sum(t.{name}), 0) AS {name}" for name in _NUMBERS)}
FROM mail_batch b LEFT JOIN mail_tally t ON t.batch_id = b.id WHERE b.id = ANY(%s) GROUP BY b.id
"""  # noqa: S608 - made of constants

# How many there are comes from the chunks, for most recipients have no row in the ledger yet.
_COUNT_GROUPS: Final = f"""
SELECT g.destination, g.content_id, sum(g.size) AS total, b.status, 0 AS fenced,
    {", ".join(f"sum(g.{name}) AS {name}" for name in _NUMBERS)}
FROM mail_batch b JOIN (
    SELECT c.batch_id, c.destination, coalesce(c.content_id, owner.content_id) AS content_id, sum(c.size) AS size,
        {", ".join(f"0 AS {name}" for name in _NUMBERS)}
    FROM mail_chunk c JOIN mail_batch owner ON owner.id = c.batch_id WHERE c.batch_id = %(batch_id)s GROUP BY 1, 2, 3
    UNION ALL
    SELECT t.batch_id, t.destination, t.content_id, 0, {", ".join(f"t.{name}" for name in _NUMBERS)}
    FROM mail_tally t WHERE t.batch_id = %(batch_id)s
) g ON g.batch_id = b.id GROUP BY g.destination, g.content_id, b.status ORDER BY total DESC, 1, 2
"""  # noqa: S608 - made of constants

_SOFT_BOUNCES: Final = """
SELECT count(DISTINCT m.id) FROM mail_deliveryevent e JOIN mail_message m ON m.id = e.message_id
WHERE e.batch_id = %s AND e.type IN ('bounced', 'failed') AND m.bounced_at IS NOT NULL AND m.bounce_code LIKE '4%%'
"""


def count_batch(*, batch_id: int) -> BatchCounts:
    """Return where a batch stands. Raises NoSuchBatch.

    Recipients without a row in the ledger are pending, or cancelled once the batch is.
    """
    found = count_batches(batch_ids=[batch_id])
    if batch_id not in found:
        raise NoSuchBatch(f"There is no batch {batch_id}.")
    return found[batch_id]


def count_batches(*, batch_ids: Sequence[int]) -> dict[int, BatchCounts]:
    """Return where each of these batches stands, with one statement; unknown ones are absent."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(batch_ids)])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["batch_id"]: _counts(row) for row in rows}


def count_soft_bounces(*, batch_id: int) -> int:
    """Return how many messages of a batch came back for a reason that may pass (RFC 3463: a status of class 4)."""
    with connection.cursor() as cursor:
        cursor.execute(_SOFT_BOUNCES, [batch_id])
        return int(cursor.fetchone()[0])


def count_batch_by(*, batch_id: int) -> list[GroupCounts]:
    """Return where a batch stands for each destination and content, the largest first; who was refused at acceptance
    belongs to none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_GROUPS, {"batch_id": batch_id})
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [GroupCounts(row["destination"], row["content_id"], _counts(row)) for row in rows]


def sum_by_destination(groups: Iterable[GroupCounts]) -> dict[str, BatchCounts]:
    """Return the counts of each destination, whatever the content."""
    return _sum_by(groups, lambda group: group.destination)


def sum_by_content(groups: Iterable[GroupCounts]) -> dict[int, BatchCounts]:
    """Return the counts of each content, wherever it went."""
    return _sum_by(groups, lambda group: group.content_id)


def _sum_by(groups: Iterable[GroupCounts], key: Callable[[GroupCounts], K]) -> dict[K, BatchCounts]:
    found: dict[K, BatchCounts] = {}
    for group in groups:
        counts = found.get(key(group))
        found[key(group)] = group.counts if counts is None else _add(counts, group.counts)
    return found


def _add(one: BatchCounts, other: BatchCounts) -> BatchCounts:
    return BatchCounts(
        **{field.name: getattr(one, field.name) + getattr(other, field.name) for field in fields(BatchCounts)}
    )


def _counts(found: Mapping[str, int | str]) -> BatchCounts:
    number = {name: int(value) for name, value in found.items() if name not in ("status", "destination")}
    unwritten = number["total"] - number["booked"]
    is_cancelled = found["status"] == BatchStatus.CANCELLED
    # Handed over to a provider that has not said more yet: neither delivered nor bounced.
    unconfirmed = number["handed_over"] - number["delivered"] - number["bounced_later"]
    pending = number["waiting"] + unconfirmed + (0 if is_cancelled else unwritten)
    return BatchCounts(
        **{name: number[name] for name in _SAME},
        total=number["total"],
        fenced=number["fenced"],
        sent=number["delivered"] + number["bounced"] + pending + number["in_doubt"],
        pending=pending,
        cancelled=number["cancelled"] + (unwritten if is_cancelled else 0),
        offered=number["handed_over"] + number["bounced"] - number["bounced_later"],
    )
