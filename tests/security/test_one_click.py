"""One-click unsubscribe (D6, RFC 8058) on mail that the real sender carried to a real server."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from django.test import Client

from postroom.core.contacts.models import ConsentChange, List, ListMember
from postroom.core.contacts.types import Audience, Fence, MemberStatus
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message, Recipient, StoredHit
from postroom.core.mail.services.contents import freeze_content
from postroom.core.mail.services.senders import create_sender
from postroom.core.mail.types import BatchStatus, Composition, MessageClass, MessageStatus, NewSender, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.edge.readers import make_list, make_reader
from tests.factories import make_workspace
from tests.processes import child_environment
from tests.sinks import Plan, Sink

READERS = 40
VISITS = 1_000
SEND = "import django; django.setup(); from postroom.workers.sender import main; main()"
PUBLIC_URL = "https://post.example"
LETTER = Composition(subject="News", body='<p>Hello, <a href="https://example.com/news">read on</a>.</p>')


@contextmanager
def sending() -> Iterator[None]:
    """Run a sender process while the block runs."""
    environment = {**child_environment(), "POSTROOM_PUBLIC_URL": PUBLIC_URL}
    process = subprocess.Popen([sys.executable, "-c", SEND], env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def freeze_letter(workspace: Workspace, port: int, list_: List) -> Batch:
    """Return a letter to everybody on ``list_``, its audience frozen now, for the server at ``port``."""
    now = clock.now()
    new = NewSender(
        name=f"Desk {now:%H%M%S%f}",
        provider=Provider.SMTP,
        from_email="desk@post.example",
        config={"host": "127.0.0.1", "port": port, "security": "none"},
    )
    sender = create_sender(workspace=workspace, new=new, actor=SYSTEM, now=now)
    content = freeze_content(workspace=workspace, composition=LETTER, message_class=MessageClass.MARKETING, now=now)
    fence = Fence(list_ids=(list_.pk,))
    batch = mail.create_batch(
        workspace=workspace,
        sender_id=sender.pk,
        content_id=content.pk,
        message_class=MessageClass.MARKETING,
        fence=fence,
        now=now,
    )
    mail.freeze_audience(batch_id=batch.pk, audience=Audience(list_ids=fence.list_ids), now=now)
    return batch


def wait_done(batch: Batch) -> None:
    """Return when every chunk of ``batch`` is over."""
    for _ in range(200):
        batch.refresh_from_db()
        if batch.status == BatchStatus.DONE:
            return
        time.sleep(0.1)
    raise AssertionError(f"the batch is {batch.status}")


@pytest.mark.django_db(transaction=True)
def test_one_click_stands_on_every_letter_and_only_a_post_obeys_it(client: Client) -> None:
    workspace = make_workspace()
    list_ = make_list(workspace)
    readers = [make_reader(workspace, list_) for _ in range(READERS)]
    with Sink(Plan(keeps_bodies=True)) as sink, sending():
        wait_done(freeze_letter(workspace, sink.port, list_))
        links = {copy.recipients[0]: _link(copy.body) for copy in sink.copies}
        assert links.keys() == {reader.email for reader in readers}

        _scan(client, list(links.values()))
        assert not ListMember.objects.exclude(status=MemberStatus.SUBSCRIBED).exists()
        assert not StoredHit.objects.filter(type="unsubscribed").exists()

        first, second = readers[0], readers[1]
        _one_click(client, links[first.email or ""])
        assert _members(list_) == {reader.pk for reader in readers[1:]}
        proof = ConsentChange.objects.filter(contact=first).latest("id")
        assert (proof.source, proof.door) == ("one-click", "edge")

        running = freeze_letter_but_hold(workspace, sink.port, list_)
        _one_click(client, links[second.email or ""])
        mail.resume_batch(workspace=workspace, batch_id=running.pk, now=clock.now())
        wait_done(running)

    assert Recipient.objects.get(batch=running, contact_id=first.pk).fence == "not_on_list"
    assert Message.objects.get(batch=running, contact_id=second.pk).status == MessageStatus.SUPPRESSED
    copies = [copy.recipients[0] for copy in sink.copies]
    assert (copies.count(first.email or ""), copies.count(second.email or "")) == (1, 1)
    assert len(copies) == READERS + READERS - 2


def freeze_letter_but_hold(workspace: Workspace, port: int, list_: List) -> Batch:
    """Return a letter whose audience is frozen and which nobody may send yet."""
    from django.db import transaction

    with transaction.atomic():
        batch = freeze_letter(workspace, port, list_)
        return mail.pause_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())


def _link(raw: bytes) -> str:
    """Return the path of the one-click link, after checking the header fields it stands in."""
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP)
    assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    [field] = message.get_all("List-Unsubscribe", [])
    links = re.findall(r"<(https://[^>]+)>", field)
    assert len(links) == 1
    assert links[0].startswith(f"{PUBLIC_URL}/u/")
    return urlsplit(links[0]).path


def _scan(client: Client, links: list[str]) -> None:
    """Visit like the scanners of many mail systems do, with GET and HEAD, a thousand times."""
    for number in range(VISITS):
        visit = client.head if number % 2 else client.get
        assert visit(links[number % len(links)]).status_code == 200


def _one_click(client: Client, link: str) -> None:
    """Post as a mail program does: without cookies, the answer neither a redirect nor a sign-in."""
    client.cookies.clear()
    answer = client.post(link, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies


def _members(list_: List) -> set[int]:
    return set(
        ListMember.objects.filter(list=list_, status=MemberStatus.SUBSCRIBED).values_list("contact_id", flat=True)
    )
