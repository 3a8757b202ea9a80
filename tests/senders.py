"""Sender processes for tests, their mail server, and campaigns to send through them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import connection

from postroom.core.contacts.types import Audience, Fence
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, SenderAccount
from postroom.core.mail.types import Composition, MessageClass, NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.processes import child_environment

COMPOSITION = Composition(
    subject="News for {{ first_name | default: 'you' }}",
    body='<p>Hello {{ first_name }}, <a href="https://example.com/offer">look</a>.</p>',
)


class SenderChild:
    """A sender process on the test's database, with its journal under ``data``."""

    def __init__(self, data: Path) -> None:
        environment = child_environment() | {"POSTROOM_DATA_DIR": str(data), "POSTROOM_LOG_FORMAT": "json"}
        data.mkdir(parents=True, exist_ok=True)
        with (data / "sender.log").open("ab") as log:
            command = [sys.executable, str(Path(__file__).with_name("workers") / "sender_child.py")]
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._log = data / "sender.log"

    @property
    def log(self) -> str:
        """What every sender of this directory said so far."""
        return self._log.read_text()

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send the process a signal."""
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask the process to end, and return its exit status."""
        if self.is_alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        return self._process.wait(timeout=20)


def wait_until(condition: Callable[[], bool], timeout_s: float = 30.0) -> float:
    """Return after how many seconds ``condition`` held."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < timeout_s, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - started


def make_smtp_sender(
    workspace: Workspace, port: int, *, connections: int = 4, name: str = "Desk", host: str = "127.0.0.1"
) -> SenderAccount:
    """Return an account that hands over to the SMTP server at ``port``, of this machine unless ``host`` is another."""
    config = {"host": host, "port": port, "max_connections": connections}
    new = NewSender(name=name, provider=Provider.SMTP, from_email="desk@news.example", config=config)
    return mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())


def make_campaign(
    workspace: Workspace, sender: SenderAccount, people: int, addresses: Sequence[str] = ("p{}@people.example",)
) -> Batch:
    """Return a running batch to ``people`` new members of the workspace, written straight into the tables; their
    ``addresses`` take turns, with each one's number.
    """
    _insert_people(workspace, people, addresses)
    content = mail.freeze_content(
        workspace=workspace, composition=COMPOSITION, message_class=MessageClass.MARKETING, now=clock.now()
    )
    batch = mail.create_batch(
        workspace=workspace,
        sender_id=sender.pk,
        content_id=content.pk,
        message_class=MessageClass.MARKETING,
        fence=Fence(),
        now=clock.now(),
    )
    mail.freeze_audience(batch_id=batch.pk, audience=Audience(), now=clock.now())
    return batch


def _insert_people(workspace: Workspace, people: int, addresses: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH person AS (
                INSERT INTO contacts_contact (uid, organization_id, email, first_name, last_name, company, phone,
                    language, timezone, custom, is_globally_opted_out, created_at, updated_at)
                SELECT gen_random_uuid(), %s, replace((%s::text[])[1 + n %% %s], '{}', n::text), 'P' || n, '', '', '',
                    '', '', '{}', false, now(), now()
                FROM generate_series(1, %s) n RETURNING id)
            INSERT INTO contacts_contactworkspace (contact_id, workspace_id, status, created_at)
            SELECT id, %s, 'neutral', now() FROM person
            """,
            [workspace.organization_id, [*addresses], len(addresses), people, workspace.pk],
        )
