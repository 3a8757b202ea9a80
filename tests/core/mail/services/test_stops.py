"""The panic stop: nothing leaves, not even what is urgent, until somebody lets it."""

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message, SenderAccount, Stop
from postroom.core.mail.selectors.stops import find_stop, is_installation_stopped, is_quiet
from postroom.core.mail.types import Composition, MessageClass, NewMessage
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.mail.services.bulk import freeze, make_mailing
from tests.factories import NOW, make_actor, make_workspace
from tests.ledger import make_sender

pytestmark = pytest.mark.django_db

OWNER = "here-1-aa"


def _accept(workspace: Workspace, sender: SenderAccount) -> None:
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("ann@example.com",),
        composition=Composition("Hello", "<p>Hello</p>"),
    )
    mail.accept_messages(workspace=workspace, messages=[new], actor=SYSTEM, now=NOW)


def test_a_stopped_workspace_sends_nothing_and_others_go_on() -> None:
    stopped, other = make_workspace(), make_workspace()
    senders = [make_sender(workspace=workspace) for workspace in (stopped, other)]
    for workspace, sender in zip((stopped, other), senders, strict=True):
        _accept(workspace, sender)
    mail.stop_workspace(workspace=stopped, actor=make_actor(), now=NOW)

    work = mail.claim_work(owner=OWNER, now=NOW)

    assert work is not None
    assert work.sender_id == senders[1].pk
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    mail.resume_workspace(workspace=stopped, actor=make_actor(), now=NOW)
    again = mail.claim_work(owner=OWNER, now=NOW)
    assert again is not None
    assert again.sender_id == senders[0].pk


def test_what_a_sender_holds_when_the_stop_comes_is_stopped_too() -> None:
    workspace = make_workspace()
    _accept(workspace, make_sender(workspace=workspace))
    work = mail.claim_work(owner=OWNER, now=NOW)
    assert work is not None
    assert len(mail.check_claims(owner=OWNER).messages) == 1

    mail.stop_workspace(workspace=workspace, actor=SYSTEM, now=NOW)

    assert not mail.check_claims(owner=OWNER).messages
    state = find_stop(workspace=workspace)
    assert state is not None
    assert not state.is_quiet
    mail.finish_messages(claim=work.claim, handovers=[], now=NOW)  # type: ignore[arg-type]
    assert is_quiet(workspace=workspace)
    assert Message.objects.get().status == "queued"


def test_the_whole_installation_stops_and_goes_on_with_what_is_not_stopped_itself() -> None:
    one, two = make_workspace(), make_workspace()
    _accept(one, make_sender(workspace=one))
    mail.stop_workspace(workspace=two, actor=SYSTEM, now=NOW)
    mail.stop_installation(actor=SYSTEM, now=NOW)
    mail.stop_installation(actor=SYSTEM, now=NOW)

    assert is_installation_stopped()
    assert mail.claim_work(owner=OWNER, now=NOW) is None
    state = find_stop(workspace=one)
    assert state is not None
    assert state.is_everywhere
    mail.resume_installation(actor=SYSTEM, now=NOW)
    assert find_stop(workspace=one) is None
    assert find_stop(workspace=two) is not None
    assert mail.claim_work(owner=OWNER, now=NOW) is not None


def test_it_is_written_down_who_stopped_what_and_once() -> None:
    workspace = make_workspace()
    actor = make_actor()
    for _ in range(2):
        mail.stop_workspace(workspace=workspace, actor=actor, now=NOW)
        mail.resume_workspace(workspace=workspace, actor=actor, now=NOW)
        mail.resume_workspace(workspace=workspace, actor=actor, now=NOW)
    mail.stop_workspace(workspace=workspace, actor=actor, now=NOW)
    mail.stop_workspace(workspace=workspace, actor=actor, now=NOW)

    acts = AuditEntry.objects.filter(workspace=workspace, act__startswith="sending.").order_by("pk")
    assert list(acts.values_list("act", flat=True)) == [
        "sending.stopped",
        "sending.resumed",
        "sending.stopped",
        "sending.resumed",
        "sending.stopped",
    ]
    assert Stop.objects.count() == 1


def test_what_is_held_of_an_account_that_is_switched_off_stops_too() -> None:
    workspace = make_workspace()
    single, bulk = make_sender(workspace=workspace), make_sender(workspace=workspace)
    _accept(workspace, single)
    freeze(make_mailing(people=2, workspace=workspace, sender=bulk))
    works = [mail.claim_work(owner=OWNER, now=NOW) for _ in range(2)]
    assert all(works)
    held = mail.check_claims(owner=OWNER)
    assert (len(held.messages), len(held.chunks)) == (1, 1)
    for sender in (single, bulk):
        mail.switch_sender(workspace=workspace, uid=sender.uid, is_on=False, actor=SYSTEM, now=NOW)
    held = mail.check_claims(owner=OWNER)
    assert (len(held.messages), len(held.chunks)) == (0, 0)
