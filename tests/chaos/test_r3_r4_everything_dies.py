"""R3 and R4: the whole tree, then the database alone, killed while programs hand letters in and senders send them."""

import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import UUID

import pytest

from postroom.api.usesend.ids import write_id
from postroom.core.mail.types import MessageStatus
from tests.chaos.report import PLACE, Duplicate, Kill, Report
from tests.journeys.running import Running, are_gone, seconds_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

TREE_KILLS: Final = 5
DATABASE_KILLS: Final = 10
CLIENTS: Final = 4
READY_WITHIN_S: Final = 15
BACK_WITHIN_S: Final = 10
EMAIL: Final = "owner@example.com"
PASSWORD: Final = "correct horse battery"


class Client(threading.Thread):
    """A program that hands in letters, each with a key of its own, again and again until it is answered."""

    def __init__(self, running: Running, key: str, number: int) -> None:
        super().__init__(daemon=True)
        self._address = f"http://127.0.0.1:{running.web_port}/usesend/api/v1/emails"
        self._key = key
        self._number = number
        self._stopping = threading.Event()
        self.answered: dict[str, str] = {}
        self.retries = 0

    def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            name = f"letter-{self._number}-{number}"
            while not self._stopping.is_set():
                with suppress(URLError, OSError, ValueError):
                    self.answered[name] = self._send(name)
                    break
                self.retries += 1
                time.sleep(0.2)
            time.sleep(0.02)

    def stop(self) -> None:
        self._stopping.set()
        self.join(20)

    def _send(self, name: str) -> str:
        letter = {
            "from": "Shop <shop@inbound.localhost>",
            "to": [f"{name}@people.example"],
            "subject": name,
            "text": "x",
        }
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": name,
        }
        request = Request(self._address, data=json.dumps(letter).encode(), headers=headers)
        with urlopen(request, timeout=10) as response:
            return str(json.loads(response.read())["emailId"])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    seconds_until(running.is_ready, 60)
    yield running
    running.remove()


@pytest.fixture
def clients(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Client]]:
    monkeypatch.setenv("POSTROOM_ADMIN_PASSWORD", PASSWORD)
    made = running.run("createadmin", EMAIL)
    assert made.returncode == 0, made.stderr
    key = running.run("createkey", EMAIL, "usesend").stdout.split()
    secret = next(word for word in key if word.startswith("us_"))
    threads = [Client(running, secret, number) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.stop()


def test_the_whole_tree_is_killed_and_no_answered_letter_is_lost(
    running: Running, clients: list[Client], capsys: pytest.CaptureFixture[str]
) -> None:
    started, kills = time.monotonic(), []
    for _ in range(TREE_KILLS):
        time.sleep(random.uniform(2.0, 5.0))
        family = running.family()
        for process in family:
            with suppress(ProcessLookupError, OSError):
                process.kill()
        running.kill()
        seconds_until(lambda family=family: are_gone(family), BACK_WITHIN_S)  # type: ignore[misc]
        seconds_until(running.are_ports_free, BACK_WITHIN_S)
        running.start()
        kills.append(Kill("everything", f"{count(clients)} answered", seconds_until(running.is_ready, READY_WITHIN_S)))
    _settle(running, clients, kills, "R3", started, capsys)


def test_the_database_is_killed_and_every_answered_letter_is_there(
    running: Running, clients: list[Client], capsys: pytest.CaptureFixture[str]
) -> None:
    started, kills = time.monotonic(), []
    for _ in range(DATABASE_KILLS):
        time.sleep(random.uniform(2.0, 5.0))
        server = running.find_part("postgres")
        assert server is not None
        before = count(clients)
        server.kill()
        back = seconds_until(lambda before=before: count(clients) > before + CLIENTS, BACK_WITHIN_S)  # type: ignore[misc]
        kills.append(Kill("postgres", f"{before} answered", back))
    _settle(running, clients, kills, "R4", started, capsys)


def count(clients: list[Client]) -> int:
    return sum(len(client.answered) for client in clients)


def _settle(
    running: Running,
    clients: list[Client],
    kills: list[Kill],
    id: str,
    started: float,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Let everything come to rest, match answers, ledger and mailboxes, and judge."""
    time.sleep(1)
    for client in clients:
        client.stop()
    answered = {uid for client in clients for uid in client.answered.values()}
    seconds_until(lambda: not waiting(running), 120)
    report = match(running, answered, kills, id, time.monotonic() - started)
    (PLACE).mkdir(parents=True, exist_ok=True)
    (PLACE / f"{id}.json").write_text(json.dumps(asdict(report), indent=1, default=str))
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n  client retries: {sum(client.retries for client in clients)}\n")
    assert report.planned > 100
    assert (report.lost, report.unaccounted) == ((), 0)
    assert all(one.is_resent for one in report.duplicates)
    assert report.in_doubt == 0
    assert len(answered) == count(clients)  # a key that was asked with twice made one letter


def waiting(running: Running) -> int:
    """Return how many letters were not tried yet; one refused for a time is tried again minutes later."""
    with running.connect() as connection:
        row = connection.execute("SELECT count(*) FROM mail_message WHERE status IN ('queued', 'claimed')").fetchone()
    return int(str(row[0])) if row else 0


def match(running: Running, answered: set[str], kills: list[Kill], id: str, total_s: float) -> Report:
    """Return the report: every answered letter against the ledger, every sent one against the mailboxes."""
    with running.connect() as connection:
        rows = connection.execute(
            "SELECT id, uid, message_id_header, status, attempt, is_resent FROM mail_message"
        ).fetchall()
        mailed = connection.execute("SELECT message_id, count(*) FROM mail_sandboxmail GROUP BY 1").fetchall()
    copies = {int(str(number)): int(str(times)) for number, times in mailed if number is not None}
    known = {write_id(UUID(str(uid))) for _, uid, *_ in rows}
    duplicates = [
        Duplicate(str(header), copies[int(str(number))], str(status), int(str(attempt)), bool(is_resent))
        for number, _, header, status, attempt, is_resent in rows
        if copies.get(int(str(number)), 0) > 1
    ]
    return Report(
        id=id,
        planned=len(answered),
        ledger=dict(Counter(str(status) for _, _, _, status, *_ in rows)),
        histogram=dict(Counter(copies.values())),
        lost=tuple(
            str(header)
            for number, _, header, status, *_ in rows
            if status == MessageStatus.SENT and int(str(number)) not in copies
        ),
        duplicates=tuple(duplicates),
        unaccounted=len(answered - known),
        doubtful_arrived=0,
        kills=tuple(kills),
        total_s=total_s,
    )
