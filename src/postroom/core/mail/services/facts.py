"""Applying stored hits: each becomes one delivery event and raises facts of its message, in whatever order."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from django.db import connection, transaction
from django.db.models import Q

from postroom.core.mail.models import Message, Recipient, StoredHit
from postroom.core.mail.rules import bots
from postroom.core.mail.services.brakes import check_brakes
from postroom.core.mail.services.suppressing import heed_providers
from postroom.core.mail.services.telling import hits_are_heard, tell_hits
from postroom.core.mail.types import EventType, MessageStatus
from postroom.kit.types import JSONValue

log = structlog.get_logger(__name__)

_LONGEST_WAIT: Final = timedelta(minutes=1)
# A hit of a message nobody knows: it is tried for an hour, then set aside for a month (a lost machine may yet come back
# with its journal), then dropped.
_PATIENCE: Final = timedelta(hours=1)
_KEPT_ASIDE: Final = timedelta(days=30)
_BEFORE_HANDOVER: Final = {MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.WIRE}

MOST_EVENTS: Final = 1000
"""So many opens, and so many clicks, of a message are kept and counted, by people and by machines apart: what comes
after them says nothing new, and whoever can fetch a pixel shall not fill our disk.
"""

_MAY_HAVE_LEFT: Final = """(message.status = 'in_doubt' OR message.status = 'deferred' AND message.is_resent
            OR message.status IN ('queued', 'deferred') AND message.safe_until IS NOT NULL)"""

# A message to nobody any more was an erased person's: that something happened to it counts, where and how is forgotten.
# Facts are minima and sums over events, each event counted once, so neither order nor repetition changes the result.
# When we were told 2xx ourselves, that is when it was sent; what a provider says of it is in the trail. A message of
# which nobody knows whether it left did leave when something became of it: it is sent, and not repeated.
_APPLY: Final = """
WITH hit AS (
    SELECT DISTINCT ON (message_id, key) *
    FROM json_to_recordset(%(hits)s::json) AS hit (key text, type text, message_id bigint, at timestamptz,
        link_index integer, agent text, ip text, is_bot boolean, data jsonb)
    ORDER BY message_id, key, at
), fresh AS (
    SELECT hit.*, message.workspace_id, message.contact_id, message.batch_id, message.content_id,
        message."to" <> '[]' AS is_known,
        row_number() OVER (PARTITION BY hit.message_id, hit.type, hit.is_bot ORDER BY hit.at, hit.key) + CASE
            WHEN hit.type = 'opened' AND hit.is_bot THEN message.machine_open_count
            WHEN hit.type = 'opened' THEN message.open_count
            WHEN hit.type = 'clicked' AND hit.is_bot THEN message.scanner_click_count
            WHEN hit.type = 'clicked' THEN message.click_count ELSE 0 END AS place
    FROM hit JOIN mail_message message ON message.id = hit.message_id
    WHERE NOT EXISTS (
        SELECT FROM mail_deliveryevent known WHERE known.message_id = hit.message_id AND known.key = hit.key
    )
), appended AS (
    INSERT INTO mail_deliveryevent
        (at, key, workspace_id, message_id, contact_id, batch_id, type, link_index, agent, ip, is_bot, data)
    SELECT at, key, workspace_id, message_id, contact_id, batch_id, type, link_index,
        CASE WHEN is_known THEN agent ELSE '' END, CASE WHEN is_known THEN ip ELSE '' END, is_bot,
        CASE WHEN is_known THEN data ELSE jsonb_build_object('status', data -> 'status') END
    FROM fresh WHERE type NOT IN ('opened', 'clicked') OR place <= %(most)s
    ON CONFLICT DO NOTHING
    RETURNING message_id, key, batch_id, type, at, link_index, is_bot, left(data ->> 'status', 20) AS status
), pace AS (
    INSERT INTO mail_batchpace (batch_id, at, opened, machine_opened, clicked, scanner_clicked)
    SELECT batch_id, date_bin('15 minutes', at, 'epoch'), count(*) FILTER (WHERE type = 'opened' AND NOT is_bot),
        count(*) FILTER (WHERE type = 'opened' AND is_bot), count(*) FILTER (WHERE type = 'clicked' AND NOT is_bot),
        count(*) FILTER (WHERE type = 'clicked' AND is_bot)
    FROM appended WHERE batch_id IS NOT NULL AND type IN ('opened', 'clicked') GROUP BY 1, 2
), followed AS (
    INSERT INTO mail_linktally (batch_id, content_id, link_index, clicks, people, scanner_clicks)
    SELECT appended.batch_id, fresh.content_id, appended.link_index, count(*) FILTER (WHERE NOT appended.is_bot),
        count(DISTINCT appended.message_id) FILTER (WHERE NOT appended.is_bot AND NOT EXISTS (
            SELECT FROM mail_deliveryevent known WHERE known.message_id = appended.message_id
                AND known.type = 'clicked' AND known.link_index = appended.link_index AND NOT known.is_bot)),
        count(*) FILTER (WHERE appended.is_bot)
    FROM appended JOIN fresh USING (message_id, key)
    WHERE appended.batch_id IS NOT NULL AND appended.type = 'clicked' AND appended.link_index IS NOT NULL
    GROUP BY 1, 2, 3
), fact AS (
    SELECT message_id,
        min(at) FILTER (WHERE type NOT IN ('deferred', 'failed')) AS proven_at,
        min(at) FILTER (WHERE type = 'sent') AS sent_at,
        min(at) FILTER (WHERE type = 'delivered') AS delivered_at,
        min(at) FILTER (WHERE type IN ('bounced', 'failed')) AS bounced_at,
        coalesce((array_agg(status ORDER BY at, status) FILTER (WHERE type IN ('bounced', 'failed')))[1], '')
            AS bounce_code,
        min(at) FILTER (WHERE type = 'complained') AS complained_at,
        min(at) FILTER (WHERE type = 'unsubscribed') AS unsubscribed_at,
        min(at) FILTER (WHERE type = 'replied') AS replied_at,
        min(at) FILTER (WHERE type = 'opened' AND NOT is_bot) AS opened_at,
        min(at) FILTER (WHERE type = 'opened' AND is_bot) AS machine_opened_at,
        min(at) FILTER (WHERE type = 'clicked' AND NOT is_bot) AS clicked_at,
        min(at) FILTER (WHERE type = 'clicked' AND is_bot) AS scanner_clicked_at,
        count(*) FILTER (WHERE type = 'opened' AND NOT is_bot) AS opens,
        count(*) FILTER (WHERE type = 'opened' AND is_bot) AS machine_opens,
        count(*) FILTER (WHERE type = 'clicked' AND NOT is_bot) AS clicks,
        count(*) FILTER (WHERE type = 'clicked' AND is_bot) AS scanner_clicks
    FROM appended GROUP BY message_id
), raised AS (
    UPDATE mail_message message SET
        status = CASE WHEN fact.proven_at IS NOT NULL AND %(may_have_left)s THEN 'sent' ELSE message.status END,
        next_attempt_at = CASE WHEN fact.proven_at IS NOT NULL AND %(may_have_left)s THEN NULL
            ELSE message.next_attempt_at END,
        safe_until = CASE WHEN fact.proven_at IS NOT NULL AND %(may_have_left)s THEN NULL ELSE message.safe_until END,
        sent_at = CASE
            WHEN message.reply_code BETWEEN 200 AND 299 THEN coalesce(message.sent_at, fact.sent_at)
            WHEN message.status = 'sent' OR %(may_have_left)s
                THEN least(message.sent_at, fact.proven_at)
            ELSE least(message.sent_at, fact.sent_at) END,
        delivered_at = least(message.delivered_at, fact.delivered_at),
        bounced_at = least(message.bounced_at, fact.bounced_at),
        bounce_code = CASE
            WHEN fact.bounced_at IS NULL THEN message.bounce_code
            WHEN message.bounced_at IS NULL THEN fact.bounce_code
            WHEN (fact.bounced_at, fact.bounce_code) < (message.bounced_at, message.bounce_code) THEN fact.bounce_code
            ELSE message.bounce_code END,
        complained_at = least(message.complained_at, fact.complained_at),
        unsubscribed_at = least(message.unsubscribed_at, fact.unsubscribed_at),
        replied_at = least(message.replied_at, fact.replied_at),
        opened_at = least(message.opened_at, fact.opened_at),
        machine_opened_at = least(message.machine_opened_at, fact.machine_opened_at),
        clicked_at = least(message.clicked_at, fact.clicked_at),
        scanner_clicked_at = least(message.scanner_clicked_at, fact.scanner_clicked_at),
        open_count = message.open_count + fact.opens,
        machine_open_count = message.machine_open_count + fact.machine_opens,
        click_count = message.click_count + fact.clicks,
        scanner_click_count = message.scanner_click_count + fact.scanner_clicks
    FROM fact WHERE message.id = fact.message_id
)
SELECT message_id, key, batch_id, type IN ('bounced', 'complained') FROM appended
WHERE type IN ('bounced', 'complained') OR %(is_heard)s
""".replace("%(may_have_left)s", _MAY_HAVE_LEFT)


class _Target(NamedTuple):
    """What must be known of a message to judge its hits."""

    id: int
    status: str
    sent_at: datetime | None
    reply_code: int
    workspace_id: int


def apply_hits(*, now: datetime, limit: int = 2000) -> int:
    """Apply up to ``limit`` stored hits that are due, in one transaction; answer how many were looked at (0: none due).

    A hit whose message is not in the ledger yet is put back and tried again later. What providers say of addresses is
    heeded: a bad one is suppressed, and whoever complains.
    """
    with transaction.atomic():
        looked_at, batch_ids = _apply(now, limit)
    # Not within: a batch is never locked by who holds messages.
    for batch_id in sorted(batch_ids):
        check_brakes(batch_id=batch_id, now=now)
    return looked_at


def _apply(now: datetime, limit: int) -> tuple[int, set[int]]:
    """Return how many hits were looked at, and which batches came off worse."""
    due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=now)
    hits = list(StoredHit.objects.select_for_update(skip_locked=True).filter(due).order_by("id")[:limit])
    if not hits:
        return 0, set()
    targets = _lock_targets({hit.message_id for hit in hits})
    ready = [hit for hit in hits if _is_ready(hit, targets.get(hit.message_id))]
    with connection.cursor() as cursor:
        rows = json.dumps([_row(hit, targets[hit.message_id]) for hit in ready])
        is_heard = hits_are_heard(workspace_ids={target.workspace_id for target in targets.values()})
        cursor.execute(_APPLY, {"hits": rows, "most": MOST_EVENTS, "is_heard": is_heard})
        applied = cursor.fetchall()
    bad = [(message_id, key, batch_id) for message_id, key, batch_id, is_bad in applied if is_bad]
    if is_heard:
        tell_hits(hits=[(message_id, key) for message_id, key, *_ in applied], now=now)
    heed_providers(hits=_pick(ready, {(message_id, key) for message_id, key, _ in bad}), now=now)
    settled = {hit.pk for hit in ready}
    early = [hit for hit in hits if hit.pk not in settled]
    settled |= _postpone(early, _unknown({hit.message_id for hit in early} - targets.keys()), now)
    StoredHit.objects.filter(pk__in=settled).delete()
    return len(hits), {batch_id for _, _, batch_id in bad if batch_id is not None}


def _pick(hits: Sequence[StoredHit], keys: set[tuple[int, str]]) -> list[StoredHit]:
    return list({(hit.message_id, hit.key): hit for hit in hits if (hit.message_id, hit.key) in keys}.values())


def _lock_targets(message_ids: set[int]) -> dict[int, _Target]:
    """Locked in the order of their keys, so that two appliers take turns on a message and never wait in a ring."""
    messages = Message.objects.select_for_update(no_key=True).filter(pk__in=message_ids).order_by("pk")
    return {
        row[0]: _Target(*row) for row in messages.values_list("pk", "status", "sent_at", "reply_code", "workspace_id")
    }


def _is_ready(hit: StoredHit, target: _Target | None) -> bool:
    """An open or click is judged by its distance from the hand-over, so it waits until that is written down."""
    if target is None:
        return False
    is_early = target.sent_at is None and target.status in _BEFORE_HANDOVER
    return not (is_early and hit.type in {EventType.OPENED, EventType.CLICKED})


def _row(hit: StoredHit, target: _Target) -> dict[str, JSONValue]:
    return {
        "key": hit.key,
        "type": hit.type,
        "message_id": hit.message_id,
        "at": hit.at.isoformat(),
        "link_index": hit.link_index,
        "agent": hit.agent,
        "ip": hit.ip,
        "is_bot": hit.is_bot or _is_machine(hit, target),
        "data": hit.data,
    }


def _is_machine(hit: StoredHit, target: _Target) -> bool:
    """Too early is only what comes right after a hand-over that we saw ourselves."""
    is_dated = target.sent_at is not None and 200 <= target.reply_code < 300
    seconds = (hit.at - target.sent_at).total_seconds() if target.sent_at and is_dated else None
    if hit.type == EventType.OPENED:
        return bots.classify_open(agent=hit.agent, ip=hit.ip, seconds_since_sent=seconds)
    if hit.type == EventType.CLICKED:
        method = str(hit.data.get("method", "GET"))
        return bots.classify_click(agent=hit.agent, method=method, seconds_since_sent=seconds)
    return False


def _unknown(message_ids: set[int]) -> set[int]:
    """Return those that no batch in flight will bring into the ledger either."""
    return message_ids - set(Recipient.objects.filter(pk__in=message_ids).values_list("pk", flat=True))


def _postpone(hits: Sequence[StoredHit], unknown: set[int], now: datetime) -> set[int]:
    """Give each hit its next date, further away every time; answer the keys of those given up for good."""
    given_up = {hit.pk for hit in hits if hit.message_id in unknown and now - hit.at >= _PATIENCE + _KEPT_ASIDE}
    if given_up:
        log.warning("hits_dropped", count=len(given_up))
    for hit in hits:
        hit.attempts += 1
        is_hopeless = hit.message_id in unknown and now - hit.at >= _PATIENCE
        hit.next_attempt_at = now + (_KEPT_ASIDE if is_hopeless else _wait(hit.attempts))
    waiting = [hit for hit in hits if hit.pk not in given_up]
    StoredHit.objects.bulk_update(waiting, ["attempts", "next_attempt_at"], batch_size=500)
    return given_up


def _wait(attempts: int) -> timedelta:
    """One second, then twice as long every time, up to a minute."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 6)), _LONGEST_WAIT)
