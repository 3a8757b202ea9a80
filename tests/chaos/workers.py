"""Worker processes of the chaos tests, started again when they die, as the supervisor does."""

import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from django.db import connection

from tests.processes import child_environment

_AGAIN_AFTER_S: Final = 1.0

# Jobs in the hands of workers that are gone, or silent for longer than a living one ever is.
_ORPHANS: Final = """
SELECT count(*) FROM procrastinate_jobs job LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
WHERE job.status = 'doing' AND (worker.id IS NULL OR worker.last_heartbeat < now() - interval '15 seconds')
"""


class Workers:
    """Some workers that are always there, until the block ends."""

    def __init__(self, count: int, trace: Path, *arguments: object) -> None:
        self._script = [sys.executable, str(Path(__file__).with_name("worker_child.py")), str(trace)]
        self._command = [*self._script, *(str(argument) for argument in arguments)]
        self._environment = child_environment()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._keep) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _keep(self) -> None:
        while not self._stop.is_set():
            with subprocess.Popen(self._command, env=self._environment) as child:
                while child.poll() is None and not self._stop.wait(0.05):
                    pass
                child.kill()
            self._stop.wait(_AGAIN_AFTER_S)


def count_orphans() -> int:
    """Return how many jobs are in the hands of dead workers."""
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS)
        return int(cursor.fetchone()[0])


def job_rows(name: str) -> list[tuple[str, int]]:
    """Return (status, attempts) of the stored jobs of that name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, attempts FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", [name])
        return cursor.fetchall()


def words(trace: Path, word: str) -> list[list[str]]:
    """Return what follows ``word`` in its lines of the trace, each with the time (s since 1970) in front."""
    lines = [line.split() for line in trace.read_text().splitlines()]
    return [[line[1], *line[3:]] for line in lines if line[2] == word]
