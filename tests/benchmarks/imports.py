"""The whole import of a CSV file, from upload to the last merged batch, against a bare COPY of the same file."""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from django.db import connection

from tests.benchmarks.people import import_people, make_workspace, write_people
from tests.benchmarks.rounds import Contestant, alternate, say, show

SIZES = (10_000, 100_000)
TARGET = 1 / 6
_numbers = count(1)


def run(directory: Path, rounds: int) -> None:
    """Measure a file of the demonstration's size and one ten times as long."""
    for size in SIZES:
        path = write_people(directory / f"people-{size}.csv", size)
        contestants = (
            Contestant("bare COPY", _copier(path, size), is_yardstick=True),
            Contestant("import", _importer(path, size), target=TARGET),
        )
        rates = alternate(contestants, rounds)
        show(f"Import of {size:,} new people, rows/s", contestants, rates)
        times = [bare / ours for bare, ours in zip(rates["bare COPY"], rates["import"], strict=True)]
        say(f"  the import takes {median(times):.1f} times as long ({min(times):.1f} to {max(times):.1f})")


def _importer(path: Path, size: int) -> Callable[[], float]:
    def measure() -> float:
        workspace = make_workspace(f"Import-{next(_numbers)}")
        started = perf_counter()
        done = import_people(workspace, path)
        elapsed = perf_counter() - started
        if done.created_rows + done.error_rows != size or done.error_rows > size // 100:
            sys.exit(f"The import created {done.created_rows} of {size} people, {done.error_rows} were refused.")
        return size / elapsed

    return measure


def _copier(path: Path, size: int) -> Callable[[], float]:
    columns = ", ".join(f"c{number} text" for number in range(path.open(encoding="utf-8").readline().count(",") + 1))

    def measure() -> float:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_plain")
            cursor.execute(f"CREATE TABLE bench_plain ({columns})")
            started = perf_counter()
            with (
                path.open("rb") as file,
                cursor.cursor.copy("COPY bench_plain FROM STDIN (FORMAT csv, HEADER true)") as copy,
            ):
                while octets := file.read(65536):
                    copy.write(octets)
            return size / (perf_counter() - started)

    return measure
