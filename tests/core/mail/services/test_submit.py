"""Finished mail from programs: a repeated request is accepted once, also when both come at the same moment."""

import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction

from postroom.core.mail import services as mail
from postroom.core.mail.errors import BadFrom, OnceKeyBusy, OnceKeyReused
from postroom.core.mail.models import Acceptance, Message, SenderAccount
from postroom.core.mail.types import Once, Submission
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace

ONCE = Once("order-1", b"a" * 32)
LETTER = Submission(from_address="Shop <shop@acme.example>", to=("ann@example.com",), subject="Hi", text="Hi")


def submit(workspace: Workspace, *letters: Submission, once: Once | None = None) -> list[UUID]:
    return mail.submit_messages(workspace=workspace, submissions=letters, once=once, actor=SYSTEM, now=NOW)


@pytest.mark.django_db
def test_a_fresh_workspace_sends_into_its_sandbox_under_any_name() -> None:
    workspace = make_workspace()
    (uid,) = submit(workspace, LETTER)
    message = Message.objects.get(uid=uid)
    assert (message.from_address, message.sender.provider) == ("Shop <shop@acme.example>", "sandbox")
    submit(workspace, LETTER)
    assert SenderAccount.objects.filter(workspace=workspace).count() == 1


@pytest.mark.django_db
def test_a_repeated_request_leaves_no_second_trace() -> None:
    workspace = make_workspace()
    first = submit(workspace, LETTER, LETTER, once=ONCE)
    audited = AuditEntry.objects.count()
    assert submit(workspace, LETTER, LETTER, once=ONCE) == first
    assert (Message.objects.count(), AuditEntry.objects.count()) == (2, audited)
    with pytest.raises(OnceKeyReused):
        submit(workspace, LETTER, once=Once(ONCE.key, b"b" * 32))


@pytest.mark.django_db
def test_old_keys_are_forgotten_and_young_ones_kept() -> None:
    workspace = make_workspace()
    submit(workspace, LETTER, once=ONCE)
    mail.forget_acceptances(now=NOW + timedelta(hours=23, minutes=59))
    assert Acceptance.objects.count() == 1
    mail.forget_acceptances(now=NOW + timedelta(hours=24))
    assert Acceptance.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("sender", ["", "a@acme.example, b@acme.example"])
def test_a_from_is_one_address(sender: str) -> None:
    with pytest.raises(BadFrom):
        submit(make_workspace(), Submission(from_address=sender, to=("ann@example.com",), subject="Hi", text="Hi"))


@pytest.mark.django_db(transaction=True)
def test_while_a_request_is_running_its_key_is_busy_for_others_and_free_elsewhere() -> None:
    workspace, neighbour = make_workspace(), make_workspace()
    outcomes: list[str] = []

    def ask() -> None:
        try:
            submit(workspace, LETTER, once=ONCE)
        except OnceKeyBusy as error:
            outcomes.append(error.code)
        outcomes.append(f"{len(submit(neighbour, LETTER, once=ONCE))} accepted")
        connection.close()

    with transaction.atomic():
        (uid,) = submit(workspace, LETTER, once=ONCE)
        other = threading.Thread(target=ask)
        other.start()
        other.join(30)
    assert outcomes == ["idempotency_key_busy", "1 accepted"]
    assert submit(workspace, LETTER, once=ONCE) == [uid]
    assert Message.objects.filter(workspace=workspace).count() == 1


@pytest.mark.django_db
def test_names_of_recipients_are_kept_for_the_fields_that_show_them() -> None:
    workspace = make_workspace()
    named = replace(LETTER, to=('"Lee, Ann" <ANN@example.com>, bob@example.com',), cc=("Çağla <c@example.com>",))
    for one in (
        named,
        replace(LETTER, cc=("c@example.com",)),
        replace(LETTER, to=("a@example.com", "Al <al@example.com>")),
    ):
        submit(workspace, one)
    rows = Message.objects.order_by("pk")
    assert [row.shown for row in rows] == [
        {"to": ['"Lee, Ann" <ANN@example.com>', "bob@example.com"], "cc": ["Çağla <c@example.com>"]},
        {},
        {"to": ["a@example.com", "Al <al@example.com>"]},
    ]
    assert rows[0].to == ["ann@example.com", "bob@example.com"]
