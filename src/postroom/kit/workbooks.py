"""Turns workbooks (.xlsx) into CSV files by a child with limits, so that a bomb bursts where it harms nobody."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from threading import BoundedSemaphore
from typing import IO, Final

MAX_MEMORY: Final = 280 * 1024 * 1024
"""Octets of the child's address space: some three million cells."""
MAX_WAIT_S: Final = 120
AT_ONCE: Final = 2
"""Workbooks that one process has read at a time, for each takes so much memory."""
_PATIENCE_S: Final = 10.0
_SLOTS: Final = BoundedSemaphore(AT_ONCE)
_BUSY: Final = "Other workbooks are being read just now. Try again in a minute."
_TOO_LARGE: Final = (
    "The workbook is too large or too entangled to be read safely. Save the sheet as a CSV file and import that."
)


class BadWorkbook(ValueError):
    """A workbook that cannot be read, with a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that holds something, and the CSV file it was written to."""

    name: str
    path: Path


@contextmanager
def convert_workbook(file: IO[bytes]) -> Iterator[tuple[Sheet, ...]]:
    """Yield the sheets of a workbook in their order as CSV files, which are gone afterwards. Raises BadWorkbook."""
    with tempfile.TemporaryDirectory(prefix="postroom-workbook-") as folder:
        book = Path(folder, "book.xlsx")
        with book.open("wb") as copy:
            copyfileobj(file, copy)
        if not _SLOTS.acquire(timeout=_PATIENCE_S):
            raise BadWorkbook(_BUSY)
        try:
            found = _run_child(book)
        finally:
            _SLOTS.release()
        yield tuple(Sheet(name, Path(folder, sheet)) for name, sheet in found)


def _run_child(book: Path) -> list[tuple[str, str]]:
    # A second of processor time for each megabyte is three times what honest workbooks take.
    cpu_s = 1 + book.stat().st_size // (1024 * 1024)
    command = [sys.executable, "-I", "-m", "postroom.kit.workbook_child", str(book), str(book.parent)]
    try:
        done = subprocess.run(
            [*command, str(MAX_MEMORY), str(cpu_s)], capture_output=True, timeout=MAX_WAIT_S, check=False, env={}
        )
    except subprocess.TimeoutExpired as error:
        raise BadWorkbook(_TOO_LARGE) from error
    if done.returncode:  # a signal: out of memory or of time
        raise BadWorkbook(_TOO_LARGE)
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise BadWorkbook(answer["refused"] or _TOO_LARGE)
    return [(str(sheet["name"]), str(sheet["file"])) for sheet in answer["sheets"]]
