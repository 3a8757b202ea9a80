"""The supervisor over stand-in parts: ordered start and stop, restarts, and nothing left behind by any death."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from pytest_django import Settings

from postroom.config import ports
from postroom.config.supervisor.plan import AlreadyRunning, exclusive, make_plan

PROGRAM = Path(__file__).with_name("supervised.py")


class Supervised:
    """A running supervisor, its output and its family."""

    def __init__(self, second: str, log: Path) -> None:
        self.port = free_port()
        self.log = log
        with log.open("w") as out:
            command = [sys.executable, str(PROGRAM), str(self.port), second]
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        self.top = psutil.Process(self.process.pid)

    def part(self, word: str) -> psutil.Process:
        return next(child for child in self.top.children() if word in " ".join(child.cmdline()))

    def said(self, words: str) -> bool:
        return words in self.log.read_text()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(condition: Callable[[], object], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def all_gone(family: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Supervised]]:
    started: list[Supervised] = []

    def start(second: str) -> Supervised:
        started.append(Supervised(second, tmp_path / "log"))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


Start = Callable[[str], Supervised]


def test_parts_start_in_order_and_stop_at_a_signal_leaving_nothing(start: Start) -> None:
    supervised = start("quiet")
    wait_until(lambda: supervised.said("all ready"))
    text = supervised.log.read_text()
    assert text.index("hello from the task") < text.index("quiet starts") < text.index("all ready")
    assert "never" not in text
    family = supervised.top.children(recursive=True)
    assert len(family) == 3
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(15) == 0
    assert all_gone(family)
    assert ports.is_free("127.0.0.1", supervised.port)


def test_a_killed_part_is_started_again_and_takes_its_children_along(start: Start) -> None:
    supervised = start("quiet")
    wait_until(lambda: supervised.said("all ready"))
    door = supervised.part("create_server")
    family = [door, *door.children()]
    door.kill()
    wait_until(lambda: all_gone(family))
    wait_until(lambda: ports.is_answering("127.0.0.1", supervised.port), 5)
    assert supervised.said("killed by SIGKILL; starting again in 0.2 s")


def test_nothing_outlives_a_killed_supervisor(start: Start) -> None:
    supervised = start("stubborn")
    wait_until(lambda: supervised.said("all ready"))
    family = supervised.top.children(recursive=True)
    supervised.process.kill()
    supervised.process.wait()
    wait_until(lambda: all_gone(family), 3)
    assert ports.is_free("127.0.0.1", supervised.port)


def test_a_part_that_does_not_want_to_stop_is_made_to(start: Start) -> None:
    supervised = start("stubborn")
    wait_until(lambda: supervised.said("all ready"))
    supervised.process.send_signal(signal.SIGINT)
    assert supervised.process.wait(10) == 0


def test_a_part_that_never_comes_up_ends_it_with_a_sentence(start: Start) -> None:
    supervised = start("broken")
    assert supervised.process.wait(30) == 1
    assert supervised.said("broken     │ no such luck")
    assert supervised.said("broken does not come up; its last lines say why.")
    assert ports.is_free("127.0.0.1", supervised.port)


def test_a_second_supervisor_on_the_same_data_is_refused_by_name(tmp_path: Path) -> None:
    with exclusive(tmp_path), pytest.raises(AlreadyRunning, match=f"as process {os.getpid()}"), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass


def test_a_taken_port_is_told_with_the_setting_that_chooses_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ports.PortInUse, match=f"Port {port} .* POSTROOM_WEB_PORT"):
            ports.ensure_free("127.0.0.1", port, "POSTROOM_WEB_PORT")
    ports.ensure_free("127.0.0.1", port, "POSTROOM_WEB_PORT", patience_s=1)


def test_there_are_as_many_senders_as_the_settings_say_each_a_part_of_its_own(settings: Settings) -> None:
    settings.SENDERS = 3
    parts = [part for stage in make_plan() for part in stage if part.name.startswith("sender")]
    assert [part.name for part in parts] == ["sender-1", "sender-2", "sender-3"]
    assert {part.make_command().arguments[-1] for part in parts} == {"sender"}
