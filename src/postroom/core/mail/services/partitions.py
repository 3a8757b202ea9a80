"""Monthly partitions of the delivery events, made before they are needed."""

from datetime import UTC, datetime
from typing import Final

from django.db import connection
from psycopg import sql

AHEAD: Final = 2

_CREATE: Final = (
    "CREATE TABLE IF NOT EXISTS {name} PARTITION OF mail_deliveryevent FOR VALUES FROM ({start}) TO ({end})"
)


def ensure_partitions(*, now: datetime) -> None:
    """Make this month's partition and those of the next two, where missing. Safe to repeat.

    A month that already has events in the default partition stays there: it cannot be split off by then.
    """
    for ahead in range(AHEAD + 1):
        start, end = _month(now, ahead), _month(now, ahead + 1)
        if not _has_stray_events(start, end):
            _create(start, end)


def _month(now: datetime, ahead: int) -> datetime:
    years, month = divmod(now.month - 1 + ahead, 12)
    return datetime(now.year + years, month + 1, 1, tzinfo=UTC)


def _has_stray_events(start: datetime, end: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM mail_deliveryevent_default WHERE at >= %s AND at < %s)", [start, end]
        )
        (found,) = cursor.fetchone()
    return bool(found)


def _create(start: datetime, end: datetime) -> None:
    statement = sql.SQL(_CREATE).format(
        name=sql.Identifier(f"mail_deliveryevent_{start:%Y_%m}"),
        start=sql.Literal(start.isoformat()),
        end=sql.Literal(end.isoformat()),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
