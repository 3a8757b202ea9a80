"""The brakes of the batches that this process sends: one for each, shared by its runs."""

from collections import defaultdict
from typing import Final

from django.conf import settings

from postroom.core.mail.rules.brakes import Brake
from postroom.core.mail.types import Work

_MOST: Final = 256
"""How many batches are remembered; one that comes back after that is counted anew, and the database knows all."""


class Brakes:
    """Gives each piece of work the brake of its batch."""

    def __init__(self) -> None:
        self._brakes: dict[int, Brake] = {}
        self._open: dict[int, set[int]] = defaultdict(set)

    def of(self, work: Work) -> Brake | None:
        """Return the brake of the work's batch, or None for mail without one.

        One that was on is armed again once everything that was under way when it came on is booked: by then the
        database has seen it all, and let the batch go on nevertheless. Work that meets it before sends nothing.
        """
        batch_id = _batch_of(work)
        if work.brake is None or batch_id is None:
            return None
        brake = self._brakes.pop(batch_id, None) or Brake(work.brake, processes=settings.SENDERS)
        self._brakes[batch_id] = brake  # the newest last
        if len(self._brakes) > _MOST:
            del self._brakes[next(iter(self._brakes))]
        if brake.is_on and not self._open[batch_id]:
            brake.rearm()
        if not brake.is_on:
            self._open[batch_id].add(id(work))
        return brake

    def forget(self, work: Work) -> None:
        """Note that a piece of work is booked."""
        batch_id = _batch_of(work)
        if batch_id in self._open:
            self._open[batch_id].discard(id(work))
            if not self._open[batch_id]:
                del self._open[batch_id]


def _batch_of(work: Work) -> int | None:
    return work.items[0].mailing.batch_id if work.items else None
