"""Sender accounts: changed, switched off and on, deleted while nothing was sent."""

import json
from uuid import uuid4

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.errors import BadSender, MailNameTaken, NoSuchDomain, NoSuchSender, SenderInUse, TooManyTests
from postroom.core.mail.models import Limit, Message, SenderAccount
from postroom.core.mail.types import NewSender, Per, Provider, SenderChanges
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_message

pytestmark = pytest.mark.django_db

SERVER = {"host": "mail.example.com", "port": 587, "security": "starttls"}
NEW = NewSender(
    name="Desk",
    provider=Provider.SMTP,
    from_email="desk@example.com",
    config=SERVER,
    credentials={"username": "me", "password": "open sesame"},
)


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def sender(room: Workspace) -> SenderAccount:
    return mail.create_sender(workspace=room, new=NEW, actor=SYSTEM, now=NOW)


def _update(sender: SenderAccount, **changes: object) -> SenderAccount:
    said = SenderChanges(**changes)  # type: ignore[arg-type]
    return mail.update_sender(workspace=sender.workspace, uid=sender.uid, changes=said, actor=SYSTEM, now=NOW)


def _secrets(sender: SenderAccount) -> dict[str, str]:
    sender.refresh_from_db()
    return dict(json.loads(crypto.decrypt(sender.credentials)))


def test_only_what_is_named_changes_and_secrets_stay_when_none_are_given(sender: SenderAccount) -> None:
    _update(sender, from_name="The Desk", config={**SERVER, "max_connections": 4})

    sender.refresh_from_db()
    assert (sender.name, sender.from_name, sender.config["max_connections"]) == ("Desk", "The Desk", 4)
    assert _secrets(sender) == {"username": "me", "password": "open sesame"}
    _update(sender, credentials={"password": "friend"})
    assert _secrets(sender) == {"username": "me", "password": "friend"}
    assert "friend" not in str(list(AuditEntry.objects.values_list("before", "after")))


@pytest.mark.parametrize("elsewhere", [{"host": "evil.example"}, {"port": 25}, {"security": "none"}])
def test_a_stored_password_never_goes_to_another_server_unasked(
    sender: SenderAccount, elsewhere: dict[str, object]
) -> None:
    with pytest.raises(BadSender, match="password again"):
        _update(sender, config={**SERVER, **elsewhere})
    _update(sender, config={**SERVER, **elsewhere}, credentials={"password": "new"})


def test_what_could_not_be_made_cannot_be_made_by_a_change(room: Workspace, sender: SenderAccount) -> None:
    foreign = mail.create_domain(workspace=make_workspace(), name="example.com", actor=SYSTEM, now=NOW)
    own = mail.create_domain(workspace=room, name="elsewhere.example", actor=SYSTEM, now=NOW)
    mail.ensure_sandbox_sender(workspace=room, actor=SYSTEM, now=NOW)

    for changes, error in (
        ({"name": "Sandbox"}, MailNameTaken),
        ({"name": "  "}, BadSender),
        ({"domain_id": foreign.pk}, NoSuchDomain),
        ({"domain_id": own.pk}, BadSender),
        ({"fallback_id": sender.pk}, BadSender),
        ({"config": {"host": ""}}, BadSender),
    ):
        with pytest.raises(error):
            _update(sender, **changes)
    with pytest.raises(NoSuchSender):
        mail.update_sender(workspace=make_workspace(), uid=sender.uid, changes=SenderChanges(), actor=SYSTEM, now=NOW)


def test_another_account_of_the_same_room_can_stand_in(room: Workspace, sender: SenderAccount) -> None:
    other = mail.ensure_sandbox_sender(workspace=room, actor=SYSTEM, now=NOW)
    foreign = mail.ensure_sandbox_sender(workspace=make_workspace(), actor=SYSTEM, now=NOW)

    assert _update(sender, fallback_id=other.pk, fallback_after_s=60).fallback == other
    with pytest.raises(NoSuchSender):
        _update(sender, fallback_id=foreign.pk)
    assert _update(sender, fallback_id=None).fallback is None


def test_a_daily_limit_becomes_a_limit_like_any_other(room: Workspace) -> None:
    new = NewSender(name="Slow", provider=Provider.SANDBOX, from_email="a@example.com", daily_limit=40)
    slow = mail.create_sender(workspace=room, new=new, actor=SYSTEM, now=NOW)

    limit = Limit.objects.get(sender=slow)
    slow.refresh_from_db()
    assert (limit.most, limit.per, slow.is_limited) == (40, Per.DAY, True)


def test_switching_off_and_on_again_has_it_tried_at_once(room: Workspace, sender: SenderAccount) -> None:
    SenderAccount.objects.update(failing_since=NOW, retry_at=NOW, failure_count=3)
    for is_on in (False, False, True):
        mail.switch_sender(workspace=room, uid=sender.uid, is_on=is_on, actor=SYSTEM, now=NOW)

    sender.refresh_from_db()
    assert (sender.is_active, sender.failing_since, sender.retry_at, sender.failure_count) == (True, None, None, 0)
    acts = AuditEntry.objects.filter(act__startswith="sender.switched").order_by("pk")
    assert list(acts.values_list("act", flat=True)) == ["sender.switched_off", "sender.switched_on"]


def test_only_an_account_that_nothing_hangs_on_is_deleted(room: Workspace, sender: SenderAccount) -> None:
    for made in (make_batch(workspace=room), make_message(workspace=room)):
        with pytest.raises(SenderInUse):
            mail.delete_sender(workspace=room, uid=made.sender.uid, actor=SYSTEM, now=NOW)

    mail.delete_sender(workspace=room, uid=sender.uid, actor=SYSTEM, now=NOW)
    assert not SenderAccount.objects.filter(pk=sender.pk).exists()
    with pytest.raises(NoSuchSender):
        mail.delete_sender(workspace=room, uid=uuid4(), actor=SYSTEM, now=NOW)


def test_a_test_mail_is_no_cannon(room: Workspace, sender: SenderAccount) -> None:
    def send(to: str) -> None:
        mail.send_sender_test(workspace=room, uid=sender.uid, to=to, actor=SYSTEM, now=NOW)

    for _ in range(5):
        send("me@example.org")
    with pytest.raises(TooManyTests):
        send("Me@example.org")
    send("you@example.org")
    assert Message.objects.filter(is_test=True).count() == 6
