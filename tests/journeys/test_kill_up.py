"""kill -9 of each part of ``postroom up`` and of the supervisor itself, while opens and inbound mail keep coming."""

import logging
import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from postroom.core.mail.rules import tokens
from tests.journeys.running import PARTS, Running, are_gone, seconds_until

log = logging.getLogger(__name__)

READY_WITHIN_S = 15
GONE_WITHIN_S = 5


class Traffic(threading.Thread):
    """Keeps opening pixels and sending mail, and remembers what was acknowledged."""

    def __init__(self, running: Running) -> None:
        super().__init__(daemon=True)
        self._running = running
        self._stopping = threading.Event()
        self.opens: set[str] = set()
        self.mails: set[str] = set()

    def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            name = f"probe-{number}"
            if self._running.fetch(f"/o/{tokens.track_token(10**12 + number, 1)}.gif", agent=name) == 200:
                self.opens.add(name)
            with suppress(OSError, smtplib.SMTPException):
                self._send(name)
                self.mails.add(name)
            time.sleep(0.1)

    def stop(self) -> None:
        self._stopping.set()
        self.join(20)

    def _send(self, name: str) -> None:
        with smtplib.SMTP("127.0.0.1", self._running.smtp_port, timeout=10) as client:
            body = f"From: a@example.com\r\nSubject: {name}\r\n\r\nHello.\r\n"
            client.sendmail("a@example.com", "postmaster@inbound.localhost", body)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.remove()


def is_back(running: Running, part: str, dead: int, killed_at: float) -> bool:
    """Whether a new process of ``part`` runs and everything is ready; worker and sender must have shown life."""
    successor = running.find_part(part)
    if successor is None or successor.pid == dead or not running.is_ready():
        return False
    if part == "sender":
        return any("sender_started" in line and f"-{successor.pid}-" in line for line in running.lines())
    return part != "worker" or last_heartbeat(running) > killed_at


def last_heartbeat(running: Running) -> float:
    with running.connect() as connection:
        row = connection.execute("SELECT extract(epoch FROM max(last_heartbeat)) FROM procrastinate_workers").fetchone()
    assert row is not None
    return float(str(row[0]))


def stored(running: Running) -> tuple[set[str], set[str]]:
    """Return the names of the opens and of the mails in the database."""
    with running.connect() as connection:
        agents = connection.execute(
            "SELECT agent FROM mail_storedhit UNION ALL SELECT agent FROM mail_deliveryevent"
        ).fetchall()
        raws = connection.execute("SELECT raw FROM mail_inboundmessage").fetchall()
    subjects = {bytes(raw).partition(b"Subject: ")[2].split(b"\r\n")[0].decode() for (raw,) in raws}  # type: ignore[call-overload]
    return {str(agent) for (agent,) in agents}, subjects


def replace_web_worker(running: Running) -> None:
    """Kill the process that serves the web: its parent, which the supervisor watches, must replace it."""
    web = running.find_part("web")
    assert web is not None
    (worker,) = web.children()
    worker.kill()
    seconds_until(lambda: running.fetch("/health") == 200 and worker not in web.children(), READY_WITHIN_S)
    assert running.find_part("web") == web


@pytest.mark.timeout(240)
def test_whatever_is_killed_comes_back_and_nothing_acknowledged_is_lost(running: Running) -> None:
    running.start()
    seconds_until(running.is_ready, 60)
    traffic = Traffic(running)
    traffic.start()

    replace_web_worker(running)
    for part in PARTS:
        victim = running.find_part(part)
        assert victim is not None
        family = [victim, *victim.children(recursive=True)]
        killed_at = time.time()
        victim.kill()
        took = seconds_until(
            lambda part=part, pid=victim.pid, at=killed_at: is_back(running, part, pid, at), READY_WITHIN_S
        )
        log.info("%s: ready again after %.1f s", part, took)
        assert are_gone(family), f"something of {part} is left"

    family = running.family()
    running.kill()
    seconds_until(lambda: are_gone(family), GONE_WITHIN_S)
    assert running.are_ports_free()
    running.start()
    log.info("everything: ready again after %.1f s", seconds_until(running.is_ready, READY_WITHIN_S))

    traffic.stop()
    opens, mails = stored(running)
    log.info("acknowledged and found again: %d opens, %d mails", len(traffic.opens), len(traffic.mails))
    assert traffic.opens
    assert traffic.mails
    assert traffic.opens <= opens
    assert traffic.mails <= mails

    family = running.family()
    assert running.stop() == 0
    assert are_gone(family)
    assert running.are_ports_free()
