"""Double opt-in as a person lives it: a program adds them, a mail comes, and they say yes on the page behind it."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2
import pytest

from postroom.core.events import services as events
from postroom.core.workspaces.types import Door
from postroom.kit import clock
from tests.api.clients import make_client
from tests.edge.front_door import front_door
from tests.factories import make_workspace
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

pytestmark = pytest.mark.django_db(transaction=True)

BOOK: Final = {
    "name": "Club",
    "doubleOptInFrom": "The Club <club@news.example>",
    "doubleOptInSubject": "{{firstName}}, is it you?",
}


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[SenderChild]:
    """A sender process that does not outlive the test."""
    child = SenderChild(tmp_path)
    yield child
    child.kill()


def test_a_person_is_asked_by_a_real_mail_and_says_yes_on_a_real_page(carrier: SenderChild) -> None:
    workspace = make_workspace()
    key = make_client(workspace=workspace, door=Door.USESEND).secret
    with Sink(Plan(keeps_bodies=True)) as sink, front_door() as door:
        make_smtp_sender(workspace, sink.port)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=f"{door.url}/usesend/api/v1", headers=headers) as program:
            book = program.post("/contactBooks", json=BOOK).json()["id"]
            contacts = f"/contactBooks/{book}/contacts"
            ann = program.post(contacts, json={"email": "ann@example.com", "firstName": "Ann"}).json()["contactId"]
            assert program.get(f"{contacts}/{ann}").json()["subscribed"] is False
            events.dispatch_events(now=clock.now())
            wait_until(lambda: len(sink.copies) == 1)
            assert say_yes(door.url, link_in(sink.copies[0].body)) == 200
            assert program.get(f"{contacts}/{ann}").json()["subscribed"] is True


def link_in(body: bytes) -> str:
    """Return the path behind the button of a mail, which says the same in text and in HTML."""
    mail = message_from_bytes(body, _class=EmailMessage, policy=policy.default)
    assert (mail["From"], mail["Subject"]) == ("The Club <club@news.example>", "Ann, is it you?")
    assert mail["List-Unsubscribe"] is None
    found = set()
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        found |= set(re.findall(r"https?://[^\s\"<>]+/confirm/[\w-]+", part.get_content()))
    (link,) = found
    return str(urlsplit(link).path)


def say_yes(address: str, path: str) -> int:
    """Open the page as a browser does and press its button."""
    with httpx2.Client(base_url=address) as browser:
        page = browser.get(path)
        assert page.status_code == 200
        (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert browser.post(path, data={"act": "confirm"}).status_code == 403
        return int(browser.post(path, data={"act": "confirm", "csrfmiddlewaretoken": token}).status_code)
