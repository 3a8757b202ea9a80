"""Mail the system itself writes: links that were asked for, escaped, untracked, and never a flood of them."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import NewContact, OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.mail import services as mail
from postroom.core.mail.models import Content, Message, NoticeSent
from postroom.core.mail.services.notices import MAX_PER_HOUR
from postroom.core.mail.types import AcceptedMessage, MessageStatus, Notice, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.factories import NOW, make_workspace
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

pytestmark = pytest.mark.django_db

NOTICE = Notice(
    subject="Confirm <now> {{ 7 | times: 6 }}",
    paragraphs=("Hello & welcome <b>you</b>.", "Second {{ paragraph }}."),
    button="Yes, “really”",
    url="https://post.example/confirm/abc?x=1&y=2",
)


def send(
    workspace: Workspace, to: str = "ada@example.com", key: str = "one", minutes: int = 0
) -> AcceptedMessage | None:
    now = NOW + timedelta(minutes=minutes)
    return mail.send_notice(workspace=workspace, to=to, notice=NOTICE, idempotency_key=key, now=now)


def make_person(workspace: Workspace, email: str = "ada@example.com") -> Contact:
    return contacts.create_contact(workspace=workspace, new=NewContact(email=email), actor=SYSTEM, now=NOW)


def test_a_notice_is_accepted_once_through_the_sandbox_of_a_workspace_without_an_account() -> None:
    workspace = make_workspace()
    first, again = send(workspace), send(workspace)
    assert first is not None
    assert again is not None
    assert (first.status, again.id, again.is_replay) == (MessageStatus.QUEUED, first.id, True)
    row = Message.objects.select_related("sender").get()
    assert (row.sender.provider, row.message_class, row.to) == (Provider.SANDBOX, "system", ["ada@example.com"])


def test_all_notices_share_one_content_and_none_is_watched() -> None:
    workspace = make_workspace()
    for number in range(3):
        send(workspace, to=f"p{number}@example.com", key=f"{number}")
    content = Content.objects.get()
    assert (content.tracks_opens, content.tracks_clicks) == (False, False)
    assert "open_pixel_url" not in content.html


def test_an_address_gets_no_more_than_a_handful_within_an_hour_whoever_asks() -> None:
    one, two = make_workspace(), make_workspace()
    answers = [send(one if number % 2 else two, key=f"{number}", minutes=number) for number in range(MAX_PER_HOUR + 3)]
    assert [answer is not None for answer in answers] == [True] * MAX_PER_HOUR + [False] * 3
    assert send(one, to="other@example.com") is not None
    assert send(one, key="later", minutes=61) is not None
    assert Message.objects.filter(to=["ada@example.com"]).count() == MAX_PER_HOUR + 1


def test_marks_that_no_longer_count_are_forgotten() -> None:
    send(make_workspace())
    mail.forget_notices(now=NOW + timedelta(minutes=59))
    assert NoticeSent.objects.exists()
    mail.forget_notices(now=NOW + timedelta(minutes=61))
    assert not NoticeSent.objects.exists()


@pytest.mark.parametrize("reason", [one for one in SuppressionReason if one is not SuppressionReason.UNSUBSCRIBED])
def test_nothing_leaves_to_an_address_that_must_not_be_mailed(reason: SuppressionReason) -> None:
    workspace = make_workspace()
    contacts.suppress_address(
        workspace=workspace,
        email="ada@example.com",
        scope=SuppressionScope.ORGANIZATION,
        reason=reason,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    answer = send(workspace)
    assert answer is not None
    assert (answer.status, answer.reason) == (MessageStatus.SUPPRESSED, reason.value)


def test_whoever_wants_no_newsletters_still_gets_the_link_they_ask_for() -> None:
    workspace = make_workspace()
    person = make_person(workspace)
    scope = OptOutScope(is_everything=True)
    contacts.opt_out(workspace=workspace, contact_id=person.pk, scope=scope, source="test", actor=SYSTEM, now=NOW)
    answer = send(workspace)
    assert answer is not None
    assert answer.status == MessageStatus.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_real_sender_carries_the_words_as_they_were_written(tmp_path: Path) -> None:
    workspace = make_workspace()
    with Sink(Plan(keeps_bodies=True)) as sink:
        make_smtp_sender(workspace, sink.port)
        mail.send_notice(workspace=workspace, to="ada@example.com", notice=NOTICE, idempotency_key="x", now=clock.now())
        child = SenderChild(tmp_path)
        try:
            wait_until(lambda: len(sink.copies) == 1)
        finally:
            child.stop()
    message = message_from_bytes(sink.copies[0].body, _class=EmailMessage, policy=policy.SMTP)
    assert message["Subject"] == NOTICE.subject
    assert message["List-Unsubscribe"] is None
    plain, html = (part.get_content() for part in message.iter_parts())  # type: ignore[attr-defined]
    assert NOTICE.paragraphs[1] in plain
    assert NOTICE.url in plain
    assert "Hello &amp; welcome &lt;b&gt;you&lt;/b&gt;." in html
    assert 'href="https://post.example/confirm/abc?x=1&amp;y=2"' in html
    assert html.count("<img") == 0
