"""Accepting single messages."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import BadAddress, NoSuchContact, NoSuchList
from postroom.core.contacts.types import NewContact, SuppressionReason, SuppressionScope
from postroom.core.mail import services as mail
from postroom.core.mail.errors import BadHeader, BadMessage, NoSuchSender, TemplateRefused
from postroom.core.mail.models import Content, Message, SenderAccount, TrackedLink
from postroom.core.mail.types import AcceptedMessage, Composition, MessageClass, MessageStatus, NewMessage, Provider
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.errors import AppError
from tests.factories import NOW, make_workspace
from tests.ledger import make_sender

pytestmark = pytest.mark.django_db

COMPOSITION = Composition(subject="Hi {{ name }}", body='<p>Hi <a href="https://example.com/">there</a></p>')


def new(sender: SenderAccount, **changes: object) -> NewMessage:
    message = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("ann@example.com",),
        composition=COMPOSITION,
    )
    return replace(message, **changes)  # type: ignore[arg-type]


def accept(workspace: Workspace, *messages: NewMessage) -> list[AcceptedMessage]:
    return mail.accept_messages(workspace=workspace, messages=messages, actor=SYSTEM, now=NOW)


def test_messages_are_queued_with_one_content_for_equal_words_and_one_audit_row() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    one, two = accept(workspace, new(sender), new(sender, to=("Bob@Example.COM",)))
    assert (one.status, two.status) == (MessageStatus.QUEUED, MessageStatus.QUEUED)
    row = Message.objects.get(pk=two.id)
    assert (row.to, row.priority, row.next_attempt_at) == (["bob@example.com"], 0, NOW)
    assert Content.objects.count() == 1
    assert [link.url for link in TrackedLink.objects.all()] == ["https://example.com/"]
    assert AuditEntry.objects.filter(act="mail.accepted").count() == 1


def test_accepting_many_takes_hardly_more_statements_than_accepting_one() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    accept(workspace, new(sender))
    with CaptureQueriesContext(connection) as few:
        accept(workspace, new(sender))
    with CaptureQueriesContext(connection) as many:
        accept(workspace, *(new(sender, to=(f"p{number}@example.com",)) for number in range(50)))
    assert len(many) == len(few) <= 12


def test_a_message_to_a_suppressed_address_is_kept_with_the_reason() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    contacts.suppress_address(
        workspace=workspace,
        email="ann@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    alone, together = accept(workspace, new(sender), new(sender, to=("ann@example.com", "bob@example.com")))
    assert (alone.status, alone.reason) == (MessageStatus.SUPPRESSED, "complaint")
    assert together.status is MessageStatus.QUEUED


def test_the_person_behind_an_address_is_found() -> None:
    workspace = make_workspace()
    person = contacts.create_contact(
        workspace=workspace, new=NewContact(email="ann@example.com"), actor=SYSTEM, now=NOW
    )
    (one,) = accept(workspace, new(make_sender(workspace=workspace)))
    assert Message.objects.get(pk=one.id).contact_id == person.pk


def test_a_used_idempotency_key_answers_with_the_first_message() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    (first,) = accept(workspace, new(sender, idempotency_key="k"))
    again, other, twin = accept(
        workspace,
        new(sender, idempotency_key="k", to=("other@example.com",)),
        new(sender, idempotency_key="k2"),
        new(sender, idempotency_key="k2"),
    )
    assert (again.id, again.is_replay, first.is_replay) == (first.id, True, False)
    assert (other.id, other.is_replay, twin.is_replay) == (twin.id, False, True)
    assert Message.objects.count() == 2
    neighbour = make_workspace()
    (theirs,) = accept(neighbour, new(make_sender(workspace=neighbour), idempotency_key="k"))
    assert not theirs.is_replay


def test_scheduled_mail_is_due_at_its_time() -> None:
    workspace = make_workspace()
    later = NOW + timedelta(days=1)
    (one,) = accept(workspace, new(make_sender(workspace=workspace), scheduled_at=later))
    assert Message.objects.get(pk=one.id).next_attempt_at == later


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"to": ()}, BadMessage),
        ({"to": ("not an address",)}, BadAddress),
        ({"to": ("a@example.com\r\nBcc: b@example.com",)}, BadAddress),
        ({"cc": tuple(f"c{number}@example.com" for number in range(60))}, BadMessage),
        ({"headers": {"X-A: z\r\nBcc": "b@example.com"}}, BadHeader),
        ({"headers": {"X-A": "z\r\nBcc: b@example.com"}}, BadHeader),
        ({"from_address": "Boss <boss@elsewhere.example>"}, BadMessage),
        ({"composition": Composition(subject="{% include 'x' %}", body="x")}, TemplateRefused),
        ({"idempotency_key": "k" * 257}, BadMessage),
        ({"list_ids": (999_999,)}, NoSuchList),
        ({"contact_id": 999_999}, NoSuchContact),
    ],
)
def test_one_bad_message_refuses_the_whole_call_and_stores_nothing(
    changes: dict[str, object], error: type[AppError]
) -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    SenderAccount.objects.update(provider=Provider.SMTP)  # the sandbox lets anybody speak for anybody
    with pytest.raises(error):
        accept(workspace, new(sender), new(sender, **changes))
    assert Message.objects.count() == 0


def test_a_stranger_s_sender_or_person_is_not_found() -> None:
    workspace, neighbour = make_workspace(), make_workspace()
    sender = make_sender(workspace=workspace)
    with pytest.raises(NoSuchSender):
        accept(neighbour, new(sender))
    theirs = contacts.create_contact(
        workspace=neighbour, new=NewContact(email="ann@example.com"), actor=SYSTEM, now=NOW
    )
    with pytest.raises(NoSuchContact):
        accept(workspace, new(sender, contact_id=theirs.pk))


def test_a_switched_off_sender_is_refused() -> None:
    workspace = make_workspace()
    sender = make_sender(workspace=workspace)
    SenderAccount.objects.update(is_active=False)
    with pytest.raises(BadMessage, match="switched off"):
        accept(workspace, new(sender))


def test_an_own_from_may_change_the_name_and_the_local_part() -> None:
    workspace = make_workspace()
    (one,) = accept(workspace, new(make_sender(workspace=workspace), from_address="Ann <ann@example.com>"))
    assert Message.objects.get(pk=one.id).from_address == "Ann <ann@example.com>"
