"""Counting whom segments find, day by day: each within its time limit, so that none holds up another."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from postroom.core.contacts.errors import BadFilter, SegmentTooSlow
from postroom.core.contacts.models import Segment, SegmentSize
from postroom.core.contacts.selectors.segments import count_segment

MEASURED_EVERY: Final = timedelta(hours=24)
SIZES_KEPT: Final = timedelta(days=400)


def measure_due_segments(*, now: datetime, limit: int = 10) -> int:
    """Count the segments that were not counted for a day, those never counted first; return how many were tried.

    Safe in several workers at once: each segment is claimed before it is counted.
    """
    due = Segment.objects.filter(_is_due(now)).order_by(F("measured_at").asc(nulls_first=True))
    return sum(_measure(uid, _is_due(now), now) for uid in due.values_list("uid", flat=True)[:limit])


def measure_segment(*, segment_uid: UUID, now: datetime) -> None:
    """Count a segment now, whenever it was counted last; nothing happens when it is gone."""
    _measure(segment_uid, Q(), now)


def _is_due(now: datetime) -> Q:
    return Q(measured_at=None) | Q(measured_at__lte=now - MEASURED_EVERY)


def _measure(uid: UUID, wanted: Q, now: datetime) -> bool:
    if not Segment.objects.filter(wanted, uid=uid).update(measured_at=now):
        return False
    segment = Segment.objects.select_related("workspace").filter(uid=uid).first()
    if segment is None:
        return False
    try:
        count = count_segment(workspace=segment.workspace, filter=segment.filter, now=now)
    except (SegmentTooSlow, BadFilter) as error:
        Segment.objects.filter(pk=segment.pk).update(size=None, size_note=error.message[:500])
    else:
        _keep(segment, count, now)
    return True


@transaction.atomic
def _keep(segment: Segment, count: int, now: datetime) -> None:
    """Write the size down, unless the question was changed or forgotten while it was counted."""
    unchanged = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
    if unchanged.update(size=count, size_note=""):
        SegmentSize.objects.bulk_create([SegmentSize(segment=segment, at=now, count=count)], ignore_conflicts=True)
        SegmentSize.objects.filter(segment=segment, at__lt=now - SIZES_KEPT).delete()
