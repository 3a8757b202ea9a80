"""Whether this process may still believe what it last read of its claims."""

import time
from functools import partial

# Asked twice for every message, so what the system offers is found out once.
_read_clock = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Lease:
    """Valid for ``length_s`` after each look into the database.

    On the clock that goes on while the process is stopped and the machine asleep, so that a sender which was away too
    long looks first and sends then.
    """

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self._until = 0.0

    @property
    def is_valid(self) -> bool:
        """Whether a look was recent enough."""
        return self.clock() < self._until

    def renew(self, looked_at: float) -> None:
        """Count from ``looked_at``, taken from ``clock`` before the look."""
        self._until = looked_at + self._length_s

    @staticmethod
    def clock() -> float:
        """Return seconds since the machine started, sleep included."""
        return _read_clock()
