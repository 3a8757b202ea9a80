"""Brakes: a campaign that bounces or annoys too much stops itself, and so does an account."""

import json
from datetime import datetime
from typing import Final

import structlog
from django.db import connection, transaction

from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.mail.errors import BatchState
from postroom.core.mail.models import Batch, BatchWatch, BrakeTerms
from postroom.core.mail.rules.brakes import HOUSE, Toll, check_levels, find_breach
from postroom.core.mail.selectors.brakes import ACCOUNT_SPAN, count_account_toll, count_toll, load_levels, look_at_batch
from postroom.core.mail.services.batches import pause_batch
from postroom.core.mail.types import BatchStatus, BrakeLevels
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

SAMPLE_EVERY_S: Final = 5
SAMPLES: Final = 36

# One statement, so that of two bookings at once neither loses a sample; the last three minutes are kept.
_SAMPLE: Final = """
INSERT INTO mail_batchwatch AS w (batch_id, samples, spared_sent, spared_bounces, spared_complaints)
VALUES (%(batch_id)s, %(first)s::jsonb, 0, 0, 0)
ON CONFLICT (batch_id) DO UPDATE SET samples = (
    SELECT jsonb_agg(kept.sample ORDER BY kept.place) FROM (
        SELECT sample, place FROM jsonb_array_elements(w.samples || %(first)s::jsonb)
            WITH ORDINALITY AS all_samples(sample, place)
        ORDER BY place DESC LIMIT %(most)s) kept)
WHERE w.samples = '[]' OR (w.samples -> -1 ->> 0)::float8 <= %(before)s
"""

log = structlog.get_logger(__name__)


def check_brakes(*, batch_id: int, now: datetime) -> bool:
    """Pause a batch whose figures are too bad, or all bulk of an account whose are; return whether that was done.

    To be called when results of the batch were written, in any number of processes at once: whoever comes first tells
    the event ``mail.batch_braked``, once.
    """
    look = look_at_batch(batch_id=batch_id)
    if look is None or not look.is_under_way:
        return False
    _sample(batch_id, look.toll.answered, now)
    if reason := find_breach(look.counted, look.levels):
        return _brake(batch_id, reason, now)
    if not look.toll.bounced and not look.toll.complained:
        return False
    doubled = BrakeLevels(look.levels.bounces * 2, look.levels.complaints * 2)
    reason = find_breach(count_account_toll(sender_id=look.sender_id, now=now), doubled)
    return bool(reason) and _brake_account(look.sender_id, reason, now)


@transaction.atomic
def set_brake_levels(*, workspace: Workspace, levels: BrakeLevels, actor: Actor, now: datetime) -> None:
    """Set at which shares of bounces and complaints campaigns stop themselves. Raises BadBrake."""
    check_levels(levels)
    before = load_levels(workspace=workspace)
    fields = {"bounces": levels.bounces, "complaints": levels.complaints}
    if levels == HOUSE:
        BrakeTerms.objects.filter(workspace=workspace).delete()
    else:
        BrakeTerms.objects.update_or_create(workspace=workspace, defaults=fields)
    was: JSONObject = {"bounces": before.bounces, "complaints": before.complaints}
    record = AuditRecord("brakes.changed", "workspace", workspace.pk, before=was, after={**fields})
    events.record_act(workspace=workspace, actor=actor, act=record, now=now)


def _sample(batch_id: int, answered: int, now: datetime) -> None:
    at = round(now.timestamp(), 1)
    with connection.cursor() as cursor:
        cursor.execute(
            _SAMPLE,
            {
                "batch_id": batch_id,
                "first": json.dumps([[at, answered]]),
                "most": SAMPLES,
                "before": at - SAMPLE_EVERY_S,
            },
        )


@transaction.atomic
def _brake_account(sender_id: int, reason: str, now: datetime) -> bool:
    """Pause everything that an account sends in bulk; what it sent before no longer counts when somebody goes on."""
    said = f"All bulk mail of this sender account stopped: over the last day, {reason[0].lower()}{reason[1:]}"
    batches = Batch.objects.filter(sender_id=sender_id).order_by("pk")
    waiting = batches.filter(status=BatchStatus.SENDING)
    braked = [_brake(batch_id, said, now) for batch_id in waiting.values_list("pk", flat=True)]
    for batch_id in batches.filter(finished_at__gt=now - ACCOUNT_SPAN).values_list("pk", flat=True):
        _spare(batch_id, count_toll(batch_id=batch_id))
    return any(braked)


@transaction.atomic
def _brake(batch_id: int, reason: str, now: datetime) -> bool:
    batch = Batch.objects.select_related("workspace").get(pk=batch_id)
    try:
        with transaction.atomic():
            pause_batch(workspace=batch.workspace, batch_id=batch_id, now=now, error=reason)
    except BatchState:  # somebody was quicker
        return False
    _spare(batch_id, count_toll(batch_id=batch_id), braked_at=now)
    data = {"batch": str(batch.uid), "reason": reason}
    event = NewEvent("mail.batch_braked", "batch", batch_id, data=data)
    events.record_event(workspace=batch.workspace, event=event, now=now)
    log.warning("batch_braked", batch_id=batch_id)
    return True


def _spare(batch_id: int, toll: Toll, **fields: object) -> None:
    """Have what a batch came to until now count no longer."""
    spared = {
        "spared_sent": toll.answered,
        "spared_bounces": toll.bounced,
        "spared_complaints": toll.complained,
    }
    BatchWatch.objects.update_or_create(batch_id=batch_id, defaults={**spared, **fields})
