"""The spool: what it took is there after any death, in order, once; what was damaged is left out and counted."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from postroom.kit.spool import Spool, SpoolFull
from tests.child_environment import child_environment

MEGABYTE = 1024 * 1024


def spool(directory: Path, capacity: int = MEGABYTE, segment_size: int = MEGABYTE) -> Spool:
    return Spool(directory, capacity=capacity, segment_size=segment_size)


def read(directory: Path) -> list[bytes]:
    return [record for segment in spool(directory).segments() for record in segment.records]


def test_records_come_back_in_the_order_they_were_given(tmp_path: Path) -> None:
    given = [b"%d \xc3\xbc\t\\N" % number for number in range(100)]
    writer = spool(tmp_path, segment_size=1_000)
    for start in range(0, 100, 7):
        writer.append(given[start : start + 7])
    writer.seal()
    assert read(tmp_path) == given
    assert len(list(tmp_path.glob("*.records"))) > 3


def test_a_segment_is_read_once_its_writer_let_go_and_no_sooner(tmp_path: Path) -> None:
    writer = spool(tmp_path)
    writer.append([b"one"])
    assert read(tmp_path) == []
    writer.seal()
    assert read(tmp_path) == [b"one"]


def test_two_readers_never_hold_the_same_segment(tmp_path: Path) -> None:
    writer = spool(tmp_path, segment_size=1)
    writer.append([b"one"])
    writer.append([b"two"])
    first, second = spool(tmp_path).segments(), spool(tmp_path).segments()
    assert next(first).records == [b"one"]
    assert next(second).records == [b"two"]
    assert next(second, None) is None


def test_a_segment_stays_until_it_is_removed(tmp_path: Path) -> None:
    writer = spool(tmp_path, segment_size=1)
    writer.append([b"one"])
    assert read(tmp_path) == read(tmp_path) == [b"one"]
    for segment in writer.segments():
        segment.remove()
    assert read(tmp_path) == []
    assert writer.size() == 0


@pytest.mark.parametrize("damage", ["cut", "flip", "insert", "swap signatures"])
def test_damage_costs_the_damaged_records_and_is_counted(tmp_path: Path, damage: str) -> None:
    writer = spool(tmp_path)
    writer.append([b"one", b"two", b"three"])
    writer.seal()
    [path] = tmp_path.glob("*.records")
    lines = path.read_bytes().split(b"\n")
    if damage == "cut":
        lines[2:] = [lines[2][:-1]]
    elif damage == "flip":
        lines[2] = lines[2].replace(b"three", b"thref")
    elif damage == "insert":
        lines.insert(2, b"zzzz" + lines[0])
        lines[3] = b"\x00\xff"
    else:
        lines[2] = lines[0][:32] + lines[2][32:]
    path.write_bytes(b"\n".join(lines))
    [segment] = spool(tmp_path).segments()
    assert segment.records == [b"one", b"two"]
    assert segment.broken == (2 if damage == "insert" else 1)


def test_a_full_spool_says_so_and_takes_more_once_there_is_room(tmp_path: Path) -> None:
    writer = spool(tmp_path, capacity=1_000, segment_size=500)
    with suppress(SpoolFull):
        for _ in range(100):
            writer.append([b"x" * 100])
    assert 500 < writer.size() <= 1_000
    with pytest.raises(SpoolFull):
        writer.append([b"x" * 100])
    writer.seal()
    for segment in writer.segments():
        segment.remove()
    writer.append([b"x" * 100])


def test_a_record_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one line"):
        spool(tmp_path).append([b"one\ntwo"])


CHILD = """
import sys
from pathlib import Path
from postroom.kit.spool import Spool
spool = Spool(Path(sys.argv[1]), capacity=10**9)
for number in range(10**9):
    spool.append([b"%d" % number])
    print(number, flush=True)
"""


def test_what_was_taken_survives_a_kill(tmp_path: Path, django_db_setup: None) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment()) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line == b"50\n":
                os.kill(child.pid, signal.SIGKILL)
                break
        last = int(([b"50", *child.stdout.read().split()])[-1])
    there = [int(record) for record in read(tmp_path)]
    assert there[: last + 1] == list(range(last + 1))
