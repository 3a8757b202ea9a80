"""A supervisor over two small stand-in parts: a program for the tests of the supervisor to run, kill and stop."""

import asyncio
import sys
from functools import partial

from postroom.config import ports
from postroom.config.supervisor.parts import Part
from postroom.config.supervisor.run import Supervisor
from postroom.config.supervisor.terminal import Terminal
from postroom.kit.processes import Command

# A server whose forked child holds the port too, as web servers with workers do.
DOOR = """
import os, signal, socket, sys, time
from postroom.kit.processes import die_with_parent
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
parent = os.getpid()
if os.fork() == 0:
    die_with_parent(parent)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    server.accept()[0].close()
"""
QUIET = """
import time
from postroom.kit.processes import say_ready
print("quiet starts", flush=True)
say_ready()
time.sleep(600)
"""
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{QUIET}"


def make_part(name: str, code: str, *arguments: str, **options: object) -> Part:
    """Return a part that runs ``code``."""
    command = Command((sys.executable, "-c", code, *arguments), {})
    return Part(name=name, make_command=lambda: command, **{"is_ready": None, **options})  # type: ignore[arg-type]


def main(port: int, second: str) -> int:
    """Supervise the server on ``port`` and a ``second`` part."""
    door = make_part("door", DOOR, str(port), is_ready=partial(ports.is_answering, "127.0.0.1", port))
    codes = {"quiet": QUIET, "stubborn": STUBBORN, "broken": "raise SystemExit('no such luck')"}
    other = make_part(second, codes[second], stop_timeout_s=1, needs=frozenset({"door"}))
    task = make_part("greet", "print('hello from the task')", is_needed=lambda: True)
    skipped = make_part("skipped", "print('never')", is_needed=lambda: False)
    return asyncio.run(Supervisor([[door], [task, skipped, other]], Terminal(), "all ready").run())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
