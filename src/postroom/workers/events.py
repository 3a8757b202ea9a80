"""Tells domain events to their subscribers."""

from datetime import datetime
from typing import Final

from postroom.core.events import services as events
from postroom.core.events.types import NOTIFY_EVENTS
from postroom.workers.registry import every

AT_ONCE: Final = 500


@every(2.0, wakes_on=NOTIFY_EVENTS)
def dispatch_events(now: datetime) -> bool:
    """Tell what waits."""
    return events.dispatch_events(now=now, limit=AT_ONCE) == AT_ONCE
