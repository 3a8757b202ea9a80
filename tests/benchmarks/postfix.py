"""Postfix's own measuring programs: ``smtp-source`` sends one canned message over and over, ``smtp-sink`` takes all."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from tests.benchmarks.ground import child, find_program

BODY_LENGTH = 8000


@contextmanager
def smtp_sink(directory: Path) -> Iterator[int]:
    """Run a sink until the block ends; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [find_program("smtp-sink"), *account, "-m", "1024", f"127.0.0.1:{port}", "1024"]
    with child(command, directory / "smtp-sink.log"):
        _wait(port)
        yield port


def smtp_source(port: int, messages: int, *options: str, sessions: int = 16) -> float:
    """Return how many messages a second ``smtp-source`` gets rid of."""
    command = [find_program("smtp-source"), *options, "-s", str(sessions), "-l", str(BODY_LENGTH), "-m", str(messages)]
    command += ["-f", "desk@news.example", "-t", "reader@people.example", f"127.0.0.1:{port}"]
    started = perf_counter()
    subprocess.run(command, check=True)
    return messages / (perf_counter() - started)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("smtp-sink did not start.")
