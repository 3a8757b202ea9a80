"""A program's letter, end to end: HTTP in at the front door, the sender process, SMTP out, and what became of it."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from postroom.core.workspaces.types import Door
from tests.api.clients import make_client
from tests.edge.front_door import front_door
from tests.factories import make_workspace
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

pytestmark = pytest.mark.django_db(transaction=True)

LETTER: Final = {
    "to": ["Ann <ann@example.com>"],
    "bcc": "boss@example.com",
    "from": "Shop <orders@news.example>",
    "subject": "Your order {{ 17 }}",
    "html": '<p style="{%">Thanks, <b>Ann</b></p>',
    "headers": {"X-Order": "17"},
}


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[SenderChild]:
    """A sender process that does not outlive the test."""
    child = SenderChild(tmp_path)
    yield child
    child.kill()


def test_a_letter_goes_from_a_programs_request_into_a_mailbox_once(carrier: SenderChild) -> None:
    workspace = make_workspace()
    key = make_client(workspace=workspace, door=Door.USESEND).secret
    with Sink(Plan(keeps_bodies=True)) as sink, front_door() as door:
        make_smtp_sender(workspace, sink.port)
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-17"}
        # Two slashes, as its official clients ask when their base address ends in one.
        with httpx2.Client(base_url=f"{door.url}/usesend//api/v1", headers=headers) as program:
            first, second = (program.post("/emails", json=LETTER) for _ in range(2))
            assert (first.status_code, first.json()) == (200, second.json())
            address = f"/emails/{first.json()['emailId']}"
            wait_until(lambda: statuses(program.get(address).json()) == ["SENT", "DELIVERED"])
        copies = sink.copies
    (copy,) = copies
    assert set(copy.recipients) == {"ann@example.com", "boss@example.com"}
    mail = message_from_bytes(copy.body, _class=EmailMessage, policy=policy.default)
    assert (mail["Subject"], mail["From"], mail["To"]) == (LETTER["subject"], LETTER["from"], "Ann <ann@example.com>")
    assert (mail["X-Order"], mail["Bcc"], mail["List-Unsubscribe"]) == ("17", None, None)


def statuses(email: dict[str, Any]) -> list[str]:
    return [event["status"] for event in email["emailEvents"]]
