"""The brakes of the batches that this process sends: one for each, shared by its runs."""

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

    def of(self, work: Work, *, is_running: bool) -> Brake | None:
        """Return the brake of the work's batch, or None for mail without one.

        One that was on is armed again: the database let the batch go on, and none of it ``is_running`` any more.
        """
        batch_id = work.items[0].mailing.batch_id if work.items else None
        if work.brake is None or batch_id is None:
            return None
        brake = self._brakes.pop(batch_id, None) or Brake(work.brake, processes=settings.SENDERS)
        self._brakes[batch_id] = brake  # the newest last
        if len(self._brakes) > _MOST:
            del self._brakes[next(iter(self._brakes))]
        if brake.is_on and not is_running:
            brake.rearm()
        return brake
