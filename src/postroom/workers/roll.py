"""The workers of this machine: each holds the lock (flock) of a file with its number for as long as it lives, so the
others know at once that it died, without waiting for its silence.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from django.db import connection

# A number may come again after the database was set back. A living worker gives a sign of life more often than this.
_QUIET_S: Final = 7.5

LONG_DEAD_S: Final = 86_400.0
"""For longer than this a worker appears to have been silent once it was struck off."""


class Roll:
    """The files in ``directory``; one for each process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock: int | None = None

    def sign(self, worker_id: int | None) -> None:
        """Enter this process as a worker, once it is one."""
        if self._lock is not None or worker_id is None:
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        hidden = self._directory / f".{worker_id}.{os.getpid()}"
        self._lock = os.open(hidden, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # before anybody can find it unlocked
        hidden.rename(self._directory / str(worker_id))

    def strike_dead(self) -> int:
        """Have the workers that died on this machine count as long silent; return how many there were."""
        dead = [int(path.name) for path in self._directory.glob("[0-9]*") if _is_unlocked(path)]
        if not dead:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => %s)"
                " WHERE id = ANY(%s) AND last_heartbeat < now() - make_interval(secs => %s)",
                [2 * LONG_DEAD_S, dead, _QUIET_S],
            )
            struck = cursor.rowcount
            cursor.execute("SELECT id FROM procrastinate_workers WHERE id = ANY(%s)", [dead])
            known = {row[0] for row in cursor.fetchall()}
        for worker_id in set(dead) - known:
            (self._directory / str(worker_id)).unlink(missing_ok=True)
        return int(struck)


def _is_unlocked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)
