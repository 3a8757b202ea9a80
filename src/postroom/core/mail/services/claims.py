"""Claiming work for a sender process: single messages that somebody waits for first, then campaigns and the rest."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from django.db import connection, transaction

from postroom.core.mail.models import Batch, Message
from postroom.core.mail.rules.settling import URGENT_CLASSES
from postroom.core.mail.selectors.brakes import load_levels
from postroom.core.mail.services.grants import Granted, Need, return_grants, take_grants
from postroom.core.mail.services.items import make_batch_items, make_single_items
from postroom.core.mail.services.letters import freeze_letters
from postroom.core.mail.services.routing import PROBE_SIZE, Route, begin_probe, list_routes
from postroom.core.mail.types import ChunkClaim, MessagesClaim, MessageStatus, Work

MESSAGES_PER_CLAIM: Final = 100

_URGENT, _BULK = 0, 1

# Each account's waiting mail is found through the index, destination by destination: neither the backlog of one account
# nor that of one destination slows the search for another's mail.
_DUE: Final = """
WITH RECURSIVE place(sender_id, destination) AS (
    SELECT s.id, (SELECT min(m.destination) FROM mail_message m WHERE m.sender_id = s.id
        AND m.priority = %(priority)s AND m.status IN ('queued', 'deferred'))
    FROM unnest(%(senders)s::bigint[]) AS s(id)
    UNION ALL
    SELECT p.sender_id, (SELECT min(m.destination) FROM mail_message m WHERE m.sender_id = p.sender_id
        AND m.priority = %(priority)s AND m.status IN ('queued', 'deferred') AND m.destination > p.destination)
    FROM place p WHERE p.destination IS NOT NULL
)
SELECT p.sender_id, p.destination FROM place p
WHERE p.destination IS NOT NULL AND NOT EXISTS (SELECT FROM mail_limitwait w WHERE w.sender_id = p.sender_id
        AND w.destination = p.destination AND w.zone = '' AND w.priority = %(priority)s AND w.until > %(now)s)
    AND (SELECT m.next_attempt_at <= %(now)s FROM mail_message m WHERE m.sender_id = p.sender_id
        AND m.priority = %(priority)s AND m.destination = p.destination AND m.status IN ('queued', 'deferred')
        ORDER BY m.next_attempt_at LIMIT 1)
ORDER BY random() LIMIT 1
"""

_CLAIM_MESSAGES: Final = """
UPDATE mail_message SET status = 'claimed', owner = %(owner)s, attempt = attempt + 1
WHERE id IN (SELECT id FROM mail_message WHERE sender_id = %(sender_id)s AND priority = %(priority)s
    AND destination = %(destination)s AND status IN ('queued', 'deferred') AND next_attempt_at <= %(now)s
    ORDER BY next_attempt_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, batch_id
"""

_STEADY_BATCHES: Final = """
SELECT id FROM mail_batch WHERE id = ANY(%s) AND status IN ('sending', 'done') FOR KEY SHARE SKIP LOCKED
"""

# A key share lets results be booked meanwhile, but nobody pause or cancel the batch. A sender process that has no
# chunk of its own to wait for must not wait for anything else either: hence SKIP LOCKED.
_WAITING_CHUNK: Final = """
c.status = 'queued' AND c.ready_at <= %(now)s AND NOT EXISTS (SELECT FROM mail_limitwait w
    WHERE w.sender_id = %(sender_id)s AND w.destination = c.destination AND w.zone = c.zone AND w.priority = 1
        AND w.until > %(now)s)
"""
_SENDING_BATCH: Final = f"""
SELECT b.id, b.sender_id FROM mail_batch b WHERE b.status = 'sending' AND b.sender_id = ANY(%(senders)s)
    AND EXISTS (SELECT FROM mail_chunk c WHERE c.batch_id = b.id
        AND {_WAITING_CHUNK.replace("%(sender_id)s", "b.sender_id")})
ORDER BY b.id LIMIT 1 FOR KEY SHARE SKIP LOCKED
"""  # noqa: S608 - made of constants

_CLAIM_CHUNK: Final = f"""
UPDATE mail_chunk SET status = 'claimed', owner = %(owner)s, attempt = attempt + 1, claimed_at = %(now)s
WHERE id = (SELECT c.id FROM mail_chunk c WHERE c.batch_id = %(batch_id)s AND {_WAITING_CHUNK}
    ORDER BY c.ready_at, c.number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, number, attempt, size, destination, zone, content_id
"""  # noqa: S608 - made of constants

_UNCLAIM: Final = """
UPDATE mail_chunk SET status = 'queued', owner = '', attempt = attempt - 1, claimed_at = NULL WHERE id = %s
"""

_PEOPLE: Final = (
    "SELECT r.id, r.contact_id, r.email FROM mail_recipient r WHERE r.batch_id = %s AND r.chunk_number = %s"
)
_UNBOOKED: Final = " AND NOT EXISTS (SELECT FROM mail_message m WHERE m.id = r.id)"

_LOOKS: Final = 8
"""How many lines without room a claim looks at before it comes back later."""


class _Again(Enum):
    """What was found has no room left, or another's hand on it; the next look passes it by."""

    AGAIN = "again"


_Found = Work | _Again | None


def claim_work(
    *, owner: str, now: datetime, busy: Collection[tuple[int, int]] = (), full: Collection[tuple[int, int]] = ()
) -> Work | None:
    """Take the next piece of work for ``owner``, or None when there is none for now.

    ``full`` names the (sender account, account whose server carries) that take nothing more, ``busy`` those that take
    urgent mail only.
    """
    for _ in range(_LOOKS):
        found = _look(owner, now, busy, full)
        if not isinstance(found, _Again):
            return found
    return None


@transaction.atomic
def _look(owner: str, now: datetime, busy: Collection[tuple[int, int]], full: Collection[tuple[int, int]]) -> _Found:
    routes = list_routes(now=now)
    urgent = {number: route for number, route in routes.items() if (number, route.route_id) not in full}
    found = _claim_messages(owner, now, urgent, _URGENT)
    bulk = {number: route for number, route in urgent.items() if (number, route.route_id) not in busy}
    if found is not None or not bulk:
        return found
    # By chance, so that neither a long campaign nor a long line of single messages starves the other.
    if random.random() < 0.5:
        return _claim_chunk(owner, now, bulk) or _claim_messages(owner, now, bulk, _BULK)
    return _claim_messages(owner, now, bulk, _BULK) or _claim_chunk(owner, now, bulk)


def _claim_chunk(owner: str, now: datetime, routes: Mapping[int, Route]) -> _Found:
    where: dict[str, Any] = {"owner": owner, "now": now, "senders": list(routes)}
    with connection.cursor() as cursor:
        cursor.execute(_SENDING_BATCH, where)
        if (found := cursor.fetchone()) is None:
            return None
        where |= dict(zip(("batch_id", "sender_id"), found, strict=True))
        cursor.execute(_CLAIM_CHUNK, where)
        if (claimed := cursor.fetchone()) is None:
            return None
    chunk = _Chunk(found[0], *claimed)
    granted = _admit(routes[found[1]], Need(chunk.destination, chunk.size, _BULK, chunk.zone), now)
    if not granted.count:
        _execute(_UNCLAIM, [chunk.id])
        return _Again.AGAIN
    return _chunk_work(owner, routes[found[1]], chunk, granted, now)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What claiming a chunk returns."""

    batch_id: int
    id: int
    number: int
    attempt: int
    size: int
    destination: str
    zone: str
    content_id: int | None


def _chunk_work(owner: str, route: Route, chunk: _Chunk, granted: Granted, now: datetime) -> Work:
    batch = Batch.objects.select_related("workspace", "sender").get(pk=chunk.batch_id)
    people = _unsent_people(chunk, granted.count)
    return_grants(grants=granted.grants, count=granted.count - len(people))
    return Work(
        claim=ChunkClaim(chunk_id=chunk.id, owner=owner, attempt=chunk.attempt),
        sender_id=route.sender_id,
        home_id=route.home_id,
        route_id=route.route_id,
        is_urgent=False,
        items=make_batch_items(batch=batch, content_id=chunk.content_id or batch.content_id, people=people),
        good_until=granted.good_until,
        is_probe=route.is_probe,
        grants=granted.grants,
        brake=None if batch.message_class in URGENT_CLASSES else load_levels(workspace=batch.workspace),
    )


def _admit(route: Route, need: Need, now: datetime) -> Granted:
    """Return how much of what a claim takes may go: little over a server that was failing, and what limits allow."""
    if route.is_probe:
        if not begin_probe(sender_id=route.home_id, now=now):
            return Granted(0)
        need = replace(need, count=min(need.count, PROBE_SIZE))
    return take_grants(route=route, need=need, now=now)


def _unsent_people(chunk: _Chunk, most: int) -> list[tuple[int, int, str]]:
    """Return (message, contact, address) of recipients of a chunk that have no row in the ledger yet; nobody has before
    the first claim ended.
    """
    statement = _PEOPLE + (_UNBOOKED if chunk.attempt > 1 else "") + " ORDER BY r.id LIMIT %s"
    return _execute(statement, [chunk.batch_id, chunk.number, most])


def _claim_messages(owner: str, now: datetime, routes: Mapping[int, Route], priority: int) -> _Found:
    if not routes:
        return None
    due = _execute(_DUE, {"senders": list(routes), "priority": priority, "now": now})
    if not due:
        return None
    ((sender_id, destination),) = due
    route = routes[sender_id]
    granted = _admit(route, Need(destination, MESSAGES_PER_CLAIM, priority), now)
    where = {"owner": owner, "now": now, "sender_id": sender_id, "priority": priority, "destination": destination}
    numbers = _claim_rows(where | {"limit": granted.count}, now) if granted.count else []
    found = Message.objects.filter(pk__in=numbers).select_related("workspace", "sender").order_by("pk")
    rows = freeze_letters(rows=list(found), now=now) if numbers else []
    return_grants(grants=granted.grants, count=granted.count - len(rows))
    if not rows:
        return _Again.AGAIN
    return Work(
        claim=MessagesClaim(owner=owner, attempts={row.pk: row.attempt for row in rows}),
        sender_id=sender_id,
        home_id=route.home_id,
        route_id=route.route_id,
        is_urgent=priority == _URGENT,
        items=make_single_items(rows),
        good_until=granted.good_until,
        is_probe=route.is_probe,
        grants=granted.grants,
    )


def _claim_rows(where: dict[str, Any], now: datetime) -> list[int]:
    """Claim due rows; return their numbers without those of a batch that is being stopped."""
    claimed: dict[int, int | None] = dict(_execute(_CLAIM_MESSAGES, where))
    batches = {batch_id for batch_id in claimed.values() if batch_id}
    steady = {batch_id for (batch_id,) in _execute(_STEADY_BATCHES, [list(batches)])} if batches else set()
    held = [number for number, batch_id in claimed.items() if batch_id and batch_id not in steady]
    if held:
        # A second later its batch is at rest, one way or the other, and has taken them along.
        Message.objects.filter(pk__in=held).update(
            status=MessageStatus.QUEUED, owner="", next_attempt_at=now + timedelta(seconds=1)
        )
    return [number for number in claimed if number not in set(held)]


def _execute(statement: str, parameters: list[Any] | dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []
