"""How long bulk actions are remembered."""

from datetime import datetime, timedelta
from typing import Final

from postroom.core.contacts.models import BulkChange, BulkRun
from postroom.core.contacts.services.bulk.finish import LIVE
from postroom.core.contacts.types import RunStatus

UNDO_FOR: Final = timedelta(days=30)
RECORD_KEPT_FOR: Final = timedelta(days=90)


def forget_old_bulk(*, now: datetime) -> int:
    """Delete what undoes actions long past, and later their records; return how many records went."""
    busy = [*LIVE, RunStatus.UNDOING]
    BulkChange.objects.filter(run__finished_at__lte=now - UNDO_FOR).exclude(run__status__in=busy).delete()
    old = BulkRun.objects.filter(created_at__lte=now - RECORD_KEPT_FOR).exclude(status__in=busy)
    return old.delete()[1].get("contacts.BulkRun", 0)
