"""S17: files made to hurt are refused within two seconds and 300 MB, by the process that reads and by its child."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from postroom.core.contacts import selectors
from postroom.core.contacts.types import Upload
from tests.security.bombs import BOMBS, workbook

LIMIT_S = 2.0
LIMIT_MB = 300


class Cost(NamedTuple):
    """What it took to look at a file; the peaks are of the whole run so far."""

    refusal: str
    seconds: float
    cpu_s: float
    parent_mb: int
    child_mb: int


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cost]:
    """Each bomb looked at by a process of its own, which has nothing else in its memory."""
    folder, scratch = tmp_path_factory.mktemp("bombs"), tmp_path_factory.mktemp("scratch")
    names = {}
    for number, (name, make) in enumerate(BOMBS.items()):
        names[f"{number:03}"] = name
        (folder / f"{number:03}").write_bytes(make())
    command = [sys.executable, str(Path(__file__).with_name("bomb_reader.py")), str(folder)]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, check=True, timeout=100, env=environment)
    assert list(scratch.iterdir()) == [], "something was left behind"
    return {names[file]: Cost(*answer) for file, answer in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_time_and_in_words(costs: dict[str, Cost], name: str) -> None:
    cost = costs[name]
    times = f"{cost.seconds:.2f} s ({cost.cpu_s:.2f} s of processor)"
    sys.stdout.write(f"{name}: {times} · {cost.parent_mb} MB, child {cost.child_mb} MB · {cost.refusal}\n")
    assert cost.refusal.endswith((".", "?")), "it was taken for a table"
    assert cost.cpu_s < LIMIT_S  # on an idle machine that is the time it takes; a busy one has other work as well
    assert cost.parent_mb < LIMIT_MB
    assert cost.child_mb < LIMIT_MB


def test_the_workbook_that_the_bombs_are_made_from_is_a_good_one() -> None:
    with selectors.open_sheets(upload=Upload(io.BytesIO(workbook()), "people.xlsx")) as sheets:
        assert [(sheet.name, sheet.file.read()) for sheet in sheets] == [("People", b"Email\n")]
