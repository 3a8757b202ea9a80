"""Opens the files of a folder as the pages of an import do, one after the other, and prints what each cost, as JSON."""

import json
import os
import resource
import sys
import time
from collections import deque
from contextlib import closing
from itertools import islice
from pathlib import Path

import django

django.setup()

from postroom.core.contacts import selectors  # noqa: E402
from postroom.core.contacts.rules.csv_files import read_rows  # noqa: E402
from postroom.core.contacts.selectors.forecasts import MAX_ROWS  # noqa: E402
from postroom.core.contacts.types import CsvFormat, Upload  # noqa: E402
from postroom.kit.errors import Invalid  # noqa: E402

KB = 1024


def own_peak_mb() -> int:
    """Return the most memory this program ever held; getrusage would count what started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // KB for line in lines if line.startswith("VmHWM"))


def child_peak_mb() -> int:
    """Return the most memory any child of this program ever held."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // KB


def cpu_s() -> float:
    """Return the seconds of processor that this program and its children took so far."""
    return sum(os.times()[:4])


def read(path: Path) -> str:
    """Return the sentence with which the file is refused, empty when it is not."""
    try:
        with path.open("rb") as file, selectors.open_sheets(upload=Upload(file, path.name)) as sheets:
            for sheet in sheets:
                sample = selectors.read_sample(file=sheet.file)
                sheet.file.seek(0)
                with closing(read_rows(sheet.file, CsvFormat(sample.encoding, sample.delimiter))) as rows:
                    deque(islice(rows, MAX_ROWS), maxlen=0)
    except Invalid as error:
        return error.message
    return ""


answers = {}
for file_path in sorted(Path(sys.argv[1]).iterdir()):
    began, started = cpu_s(), time.monotonic()
    refusal = read(file_path)
    times = time.monotonic() - started, cpu_s() - began
    answers[file_path.name] = (refusal, *times, own_peak_mb(), child_peak_mb())
sys.stdout.write(json.dumps(answers))
