"""kill -9 of the web worker between an effect and its answer: whoever asks again gets what they had (I3)."""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from postroom.core.mail.models import Message
from postroom.core.mail.types import NOTIFY_QUEUE
from postroom.core.workspaces.types import Door
from postroom.kit.notify import connection_parameters
from tests.api.clients import make_client
from tests.factories import make_workspace
from tests.journeys.running import free_ports
from tests.processes import child_environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]

KILLS = 20
AT_ONCE = 10
log = logging.getLogger(__name__)


class Web:
    """A ``postroom web`` with one worker, on the test's database."""

    def __init__(self, place: Path) -> None:
        self._place = place
        (self.port,) = free_ports(1)
        self.process = self._start()

    def kill(self) -> None:
        """Kill the worker first; then what would start the next one only after a while, and start anew."""
        children = psutil.Process(self.process.pid).children()
        for one in sorted(children, key=lambda child: -child.memory_info().rss):
            one.kill()
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        changes = {
            "POSTROOM_WEB_PORT": str(self.port),
            "POSTROOM_WEB_WORKERS": "1",
            "POSTROOM_DATA_DIR": str(self._place),
        }
        with (self._place / "web.log").open("ab") as out:
            command = [sys.executable, "-m", "postroom.config", "web"]
            return subprocess.Popen(command, stdout=out, stderr=out, env=child_environment() | changes)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def post(self, secret: str, body: Any, key: str) -> str:
        """Return the id that is answered. Raises OSError or HTTPException where nobody answers."""
        client = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Idempotency-Key": key}
        try:
            client.request("POST", "/usesend/api/v1/emails", json.dumps(body), headers)
            answer = client.getresponse()
            said = json.loads(answer.read())
        finally:
            client.close()
        if answer.status != 200:
            raise HTTPException(f"{answer.status} {said}")
        return str(said["emailId"])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    web = Web(tmp_path)
    yield web
    web.stop()


class Client(threading.Thread):
    """Asks for one letter, as often as it takes to be answered."""

    def __init__(self, web: Web, secret: str, number: int) -> None:
        super().__init__(daemon=True)
        self._web, self._secret, self._number = web, secret, number
        self.answer = ""
        self.has_failed, self.last = False, ""

    def run(self) -> None:
        letter = {
            "to": "ann@example.com",
            "from": "shop@acme.example",
            "subject": f"Order {self._number}",
            "text": "x",
        }
        end = time.monotonic() + 90
        while not self.answer and time.monotonic() < end:
            try:
                self.answer = self._web.post(self._secret, letter, f"order-{self._number}")
            except (OSError, HTTPException, ValueError) as error:
                self.has_failed, self.last = True, repr(error)
                time.sleep(0.1)


def test_whoever_was_not_answered_asks_again_and_has_one_effect(web: Web) -> None:
    secret = make_client(workspace=make_workspace(), door=Door.USESEND).secret
    first = Client(web, secret, 0)
    first.run()
    assert first.answer
    in_between = 0
    with psycopg.connect(**connection_parameters() | {"autocommit": True}) as listening:
        listening.execute(f"LISTEN {NOTIFY_QUEUE}".encode())
        for kill in range(KILLS):
            clients = [Client(web, secret, 1 + kill * AT_ONCE + number) for number in range(AT_ONCE)]
            for client in clients:
                client.start()
            for _ in listening.notifies(timeout=30, stop_after=1):
                web.kill()
            stored = set(Message.objects.values_list("uid", flat=True))
            for client in clients:
                client.join(100)
            assert [client.last for client in clients if not client.answer] == []
            in_between += sum(client.has_failed and is_among(client.answer, stored) for client in clients)
            list(listening.notifies(timeout=0.2))
    log.warning("I3: %s kills, %s letters were stored and not answered", KILLS, in_between)
    assert Message.objects.count() == 1 + KILLS * AT_ONCE
    assert in_between >= 1


def is_among(answer: str, stored: set[Any]) -> bool:
    return answer in {uid.hex for uid in stored}
