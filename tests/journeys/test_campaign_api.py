"""A program's campaign, end to end: book, people and campaign by HTTP, the sender process, SMTP out, and leaving it."""

import json
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.events import services as events
from postroom.core.mail import services as mail
from postroom.core.workspaces.types import Door
from postroom.kit import clock
from tests.api.clients import make_client
from tests.edge.front_door import front_door
from tests.factories import make_workspace
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

pytestmark = pytest.mark.django_db(transaction=True)


def text(words: str, link: str = "") -> dict[str, Any]:
    marks = [{"type": "link", "attrs": {"href": link}}] if link else []
    return {"type": "text", "text": words, "marks": marks}


DOCUMENT: Final = {
    "type": "doc",
    "content": [
        {
            "type": "heading",
            "attrs": {"level": 1},
            "content": [
                text("Hello "),
                {"type": "variable", "attrs": {"id": "firstName", "fallback": "dear reader"}},
            ],
        },
        {"type": "paragraph", "content": [text("Your plan at {{company,fallback=home}}: {{plan}} & <more>.")]},
        {"type": "button", "attrs": {"text": "Read it", "url": "https://news.example/?who={{email}}"}},
        {"type": "paragraph", "content": [text("All of it", "https://news.example/all?a=1&b=2")]},
        {"type": "unsubscribeFooter", "content": [text("Leave", "{{ usesend_unsubscribe_url }}")]},
    ],
}
PEOPLE: Final = (
    {"email": "ann@example.com", "firstName": "Ann <3", "properties": {"COMPANY": "Acme & Co"}},
    {"email": "bob@example.com"},
    {"email": "gone@example.com", "subscribed": False},
)


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[SenderChild]:
    """A sender process that does not outlive the test."""
    child = SenderChild(tmp_path)
    yield child
    child.kill()


def work() -> bool:
    """Do what the workers do at every turn."""
    now = clock.now()
    campaigns.start_due_campaigns(now=now)
    for campaign in Campaign.objects.filter(status=CampaignStatus.SENDING):
        campaigns.start_campaign(campaign_id=campaign.pk, now=now)
    mail.apply_hits(now=now, limit=1000)
    events.dispatch_events(now=now)
    return True


def test_a_campaign_goes_from_a_programs_requests_into_mailboxes_and_is_left_again(carrier: SenderChild) -> None:
    workspace = make_workspace()
    key = make_client(workspace=workspace, door=Door.USESEND).secret
    with Sink(Plan(keeps_bodies=True)) as sink, front_door() as door:
        make_smtp_sender(workspace, sink.port)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(base_url=f"{door.url}/usesend/api/v1", headers=headers) as program:
            made = _make(program)
            here = f"/campaigns/{made['id']}"
            assert (made["status"], made["total"]) == ("SCHEDULED", 2)
            wait_until(lambda: work() and program.get(here).json()["status"] == "SENT")
            letters = {copy.recipients[0]: _parse(copy.body) for copy in sink.copies}
            assert sorted(letters) == ["ann@example.com", "bob@example.com"]
            _check_words(letters)
            counts = program.get(here).json()
            assert [counts[name] for name in ("total", "sent", "delivered", "clicked")] == [2, 2, 2, 0]
            _leave(letters["ann@example.com"], door.url)
            wait_until(lambda: work() and program.get(here).json()["unsubscribed"] == 1)
            assert program.get(here).json()["clicked"] == 0
            book = f"/contactBooks/{made['contactBookId']}/contacts"
            (ann,) = program.get(book, params={"emails": "ann@example.com"}).json()
            assert ann["subscribed"] is False
            program.post(book, json={"email": "new@example.com", "firstName": "New"})
            assert program.post(f"{here}/schedule", json={}).json() == {"success": True}
            wait_until(lambda: work() and program.get(here).json()["delivered"] == 3)
            assert [copy.recipients[0] for copy in sink.copies][2:] == ["new@example.com"]


def _make(program: httpx2.Client) -> dict[str, Any]:
    book = program.post("/contactBooks", json={"name": "News", "doubleOptInEnabled": False}).json()["id"]
    program.patch(f"/contactBooks/{book}", json={"variables": ["company"]})
    for person in PEOPLE:
        assert program.post(f"/contactBooks/{book}/contacts", json=person).status_code == 200
    campaign = {
        "name": "Spring",
        "from": "News <hello@news.example>",
        "subject": "For {{firstName,fallback=you}}",
        "contactBookId": book,
        "content": json.dumps(DOCUMENT),
        "replyTo": "desk@news.example",
        "sendNow": True,
    }
    answer = program.post("/campaigns", json=campaign)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _parse(body: bytes) -> EmailMessage:
    return message_from_bytes(body, _class=EmailMessage, policy=policy.default)


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def _check_words(letters: dict[str, EmailMessage]) -> None:
    ann, bob = letters["ann@example.com"], letters["bob@example.com"]
    assert (ann["Subject"], bob["Subject"]) == ("For Ann <3", "For you")
    assert (ann["From"], ann["Reply-To"]) == ("News <hello@news.example>", "desk@news.example")
    assert "Hello Ann &lt;3</h1>" in _part(ann, "html")
    assert "Hello dear reader</h1>" in _part(bob, "html")
    assert "Your plan at Acme &amp; Co: {{plan}} &amp; &lt;more&gt;." in _part(ann, "html")
    assert "Your plan at home: {{plan}} & <more>." in _part(bob, "plain")
    assert 'href="https://news.example/?who=ann%40example.com"' in _part(ann, "html")
    assert "https://news.example/all?a=1&b=2" in _part(ann, "plain")
    assert ann["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def _leave(letter: EmailMessage, base: str) -> None:
    """Follow the link of the body, which asks first, leave, and find the way back offered."""
    link = re.search(r"/u/[\w-]+", _part(letter, "html"))
    assert link is not None
    assert link[0] in letter["List-Unsubscribe"]
    with httpx2.Client(base_url=base) as reader:
        asked = reader.get(link[0])
        assert "Nothing has changed yet" in asked.text
        assert "News" in asked.text
        done = reader.post(link[0], data={"List-Unsubscribe": "One-Click", "scope": "topics"})
        assert "is unsubscribed from" in done.text
        assert "come back" in done.text
