"""A million people out to a file: how many a second, and with how much memory, as CSV and as a workbook.

The people come in through the import first (see ``people_import``); each export runs in a process of its own, as a
worker runs it, against a bare ``COPY … TO STDOUT`` of the people's own table.
"""

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Final

from django.db import connection

from tests.benchmarks.ground import ROOT
from tests.benchmarks.people_import import start_people_import, write_people
from tests.benchmarks.rounds import say

ROWS: Final = 1_000_000
MIN_RATE, MAX_RSS_MB = 20_000, 300
_CHILD: Final = """
import json, resource, sys, uuid
import django
django.setup()
from postroom.core.contacts import services
from postroom.kit import clock
services.run_export(run_uid=uuid.UUID(sys.argv[1]), clock=clock.now)
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


def run(directory: Path, rounds: int, rows: int = ROWS) -> None:
    """Import once, then export in both formats by turns."""
    from postroom.core.contacts import services
    from postroom.core.contacts.models import ExportRun
    from postroom.core.contacts.types import ExportFormat, Selection
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    started = start_people_import(write_people(directory / "people.csv", rows))
    services.run_import(run_uid=started.uid, clock=clock.now)
    say(f"\nExport of {rows:,} people ({rounds} rounds; target {MIN_RATE:,} a second with less than {MAX_RSS_MB} MB)")
    for _ in range(rounds):
        bare = rows / _copy_out()
        for format_ in ExportFormat:
            export = services.start_export(
                workspace=started.workspace, selection=Selection(), format=format_, actor=SYSTEM, now=clock.now()
            )
            begun = perf_counter()
            rss_mb = _run_worker(str(export.uid))
            rate = rows / (perf_counter() - begun)
            done = ExportRun.objects.get(pk=export.pk)
            if (done.status, done.processed_rows) != ("done", rows):
                sys.exit(f"The export is {done.status}: {done.processed_rows:,} of {rows:,}. {done.error}")
            say(
                f"  {format_.value}: {rate:,.0f} people a second, {rss_mb:.0f} MB, {done.file_size / 1e6:.0f} MB file;"
                f" bare COPY of the one table: {bare:,.0f} rows a second, ratio {rate / bare:.2f}"
            )


def _run_worker(uid: str) -> float:
    command = [sys.executable, "-c", _CHILD, uid]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        said, _ = worker.communicate()
    if worker.returncode:
        sys.exit("The export's process failed.")
    return float(json.loads(said))


def _copy_out() -> float:
    begun = perf_counter()
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy("COPY contacts_contact TO STDOUT") as copy,
    ):
        for _ in copy:
            pass
    return perf_counter() - begun
