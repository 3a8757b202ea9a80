"""How the whole installation is doing, across all tenants: for operators and monitoring, never for a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Count, Sum

from postroom.core.events.models import DomainEvent
from postroom.core.mail.models import Chunk, Domain, InboundMessage, Message, SenderAccount, StoredHit
from postroom.core.mail.types import ChunkStatus, MessageStatus, Provider

# Finished messages are not counted: no index serves them, and reports do it per campaign.
_MOVING: Final = (
    (MessageStatus.QUEUED, MessageStatus.DEFERRED),
    (MessageStatus.CLAIMED, MessageStatus.WIRE),
    (MessageStatus.IN_DOUBT,),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What waits, what moves and what is in doubt at one moment."""

    jobs_waiting: dict[str, float]
    oldest_job_s: float
    messages: dict[str, float]
    recipients: int
    hits: int
    events: int
    inbound: int
    workers: int


def read_figures(*, now: datetime) -> Figures:
    """Return the figures of the installation."""
    jobs, oldest = _count_jobs(now)
    return Figures(
        jobs_waiting=jobs,
        oldest_job_s=oldest,
        messages=count_moving_messages(),
        recipients=_count_waiting_recipients(),
        hits=StoredHit.objects.count(),
        events=DomainEvent.objects.filter(dispatched_at=None).count(),
        inbound=InboundMessage.objects.filter(processed_at=None).count(),
        workers=_count_workers(now),
    )


@dataclass(frozen=True, slots=True)
class MailSetup:
    """Who may mail the world: senders beyond the sandbox, and the domains that sign."""

    live_senders: int
    domains: int
    verified_domains: int


def read_mail_setup() -> MailSetup:
    """Count what is set up for real mail."""
    return MailSetup(
        live_senders=SenderAccount.objects.filter(is_active=True).exclude(provider=Provider.SANDBOX).count(),
        domains=Domain.objects.count(),
        verified_domains=Domain.objects.exclude(verified_at=None).count(),
    )


def count_moving_messages() -> dict[str, float]:
    """Count the messages of every state that is not final, in doubt included; a state without any counts 0."""
    counts = {str(status): 0.0 for group in _MOVING for status in group}
    for group in _MOVING:  # each group is what one partial index holds
        rows = Message.objects.filter(status__in=group).values_list("status").annotate(number=Count("id"))
        counts.update({status: float(number) for status, number in rows.order_by()})
    return counts


def find_worker_heartbeat() -> datetime | None:
    """Return when a worker last said that it lives, or None when none ever did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(last_heartbeat) FROM procrastinate_workers")
        (heartbeat,) = cursor.fetchone()
    return heartbeat if isinstance(heartbeat, datetime) else None


def _count_jobs(now: datetime) -> tuple[dict[str, float], float]:
    statement = """
        SELECT j.queue_name, count(*), min(coalesce(j.scheduled_at, e.at))
        FROM procrastinate_jobs j
        LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
        WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= %s)
        GROUP BY j.queue_name
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [now])
        rows: list[tuple[str, int, datetime | None]] = cursor.fetchall()
    oldest = min((since for _, _, since in rows if since is not None), default=now)
    return {queue: float(number) for queue, number, _ in rows}, max(0.0, (now - oldest).total_seconds())


def _count_workers(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s - interval '30 seconds'", [now]
        )
        (count,) = cursor.fetchone()
    return int(count)


def _count_waiting_recipients() -> int:
    waiting = Chunk.objects.filter(status__in=(ChunkStatus.QUEUED, ChunkStatus.CLAIMED))
    return waiting.aggregate(total=Sum("size"))["total"] or 0
