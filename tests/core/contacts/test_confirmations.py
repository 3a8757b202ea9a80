"""Double opt-in: nobody is put on such a list by another's hand, and nobody who left is brought back by an old link."""

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from postroom.core.contacts import services
from postroom.core.contacts.errors import ConfirmationNotWanted, ConfirmationTooSoon, NoSuchContact, NoSuchList
from postroom.core.contacts.models import ConsentChange, Contact, List, ListMember
from postroom.core.contacts.rules.links import confirm_token, read_confirm_token, read_preference_token
from postroom.core.contacts.types import (
    ConfirmLink,
    ImportMapping,
    ListTerms,
    MemberStatus,
    OptOutScope,
    Standing,
    Upload,
)
from postroom.core.events import services as events
from postroom.core.events.models import DomainEvent
from postroom.core.mail.models import Message
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.core.contacts.people import make_contact, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

PROOF = {"ip": "192.0.2.0", "agent": "Browser"}


def make_asking_list(room: Workspace, name: str = "Letter") -> List:
    return services.create_list(workspace=room, name=name, actor=SYSTEM, now=NOW, is_double_opt_in=True)


def sign_up(room: Workspace, list_: List, contact: Contact) -> ConfirmLink:
    set_member(room, list_, contact, MemberStatus.SUBSCRIBED)
    return ConfirmLink(list_.pk, contact.pk, NOW)


def confirm(link: ConfirmLink, now: datetime = NOW) -> Standing:
    return services.confirm_membership(link=link, proof=PROOF, now=now).standing


def status_of(list_: List, contact: Contact) -> str:
    return ListMember.objects.get(list=list_, contact=contact).status


def questions() -> int:
    return DomainEvent.objects.filter(name="list.confirmation_wanted").count()


def test_whoever_is_put_on_such_a_list_waits_and_is_asked_once() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    sign_up(room, list_, ada)
    sign_up(room, list_, ada)
    member = ListMember.objects.get()
    assert (member.status, member.confirmed_at, member.confirmation_sent_at) == ("pending", None, NOW)
    event = DomainEvent.objects.get(name="list.confirmation_wanted")
    assert (event.contact_id, event.data) == (ada.pk, {"list_id": list_.pk})


def test_a_confirmation_is_kept_with_what_shows_it() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    link = sign_up(room, list_, ada)
    later = NOW + timedelta(hours=3)
    assert confirm(link, later) is Standing.CONFIRMED
    member = ListMember.objects.get()
    assert (member.status, member.confirmed_at) == (MemberStatus.SUBSCRIBED, later)
    change = ConsentChange.objects.get(state="subscribed")
    assert (change.door, change.source, change.at, change.workspace_id) == ("edge", "confirmation link", later, room.pk)
    assert change.proof == {"link_sent_at": NOW.isoformat(), **PROOF}


def test_confirming_again_changes_nothing_and_asking_the_confirmed_neither() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    link = sign_up(room, list_, ada)
    assert [confirm(link), confirm(link)] == [Standing.CONFIRMED] * 2
    sign_up(room, list_, ada)
    assert status_of(list_, ada) == MemberStatus.SUBSCRIBED
    assert (ConsentChange.objects.filter(state="subscribed").count(), questions()) == (1, 1)


def test_a_link_is_good_for_seven_days_and_an_old_one_brings_a_new_one() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    link = sign_up(room, list_, ada)
    late = NOW + timedelta(days=7)
    assert confirm(link, late) is Standing.EXPIRED
    assert status_of(list_, ada) == MemberStatus.PENDING
    assert services.renew_confirmation(link=link, now=late).standing is Standing.EXPIRED
    services.renew_confirmation(link=link, now=late + timedelta(minutes=9))
    assert questions() == 2
    assert confirm(ConfirmLink(list_.pk, ada.pk, late), late) is Standing.CONFIRMED


@pytest.mark.parametrize("scope", ["list", "workspace", "everything"])
def test_whoever_opted_out_since_is_not_brought_back(scope: str) -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    link = sign_up(room, list_, ada)
    scopes = {
        "list": OptOutScope(list_ids=(list_.pk,)),
        "workspace": OptOutScope(),
        "everything": OptOutScope(is_everything=True),
    }
    services.opt_out(workspace=room, contact_id=ada.pk, scope=scopes[scope], source="test", actor=SYSTEM, now=NOW)
    before = status_of(list_, ada)
    assert confirm(link, NOW + timedelta(hours=1)) is Standing.LEFT
    assert status_of(list_, ada) == before != MemberStatus.SUBSCRIBED


def test_a_link_older_than_an_opt_out_does_not_answer_a_question_asked_anew() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    old = sign_up(room, list_, ada)
    left = NOW + timedelta(hours=1)
    scope = OptOutScope(list_ids=(list_.pk,))
    services.opt_out(workspace=room, contact_id=ada.pk, scope=scope, source="t", actor=SYSTEM, now=left)
    again = NOW + timedelta(hours=2)
    services.set_list_member(
        workspace=room,
        list_id=list_.pk,
        contact_id=ada.pk,
        status=MemberStatus.SUBSCRIBED,
        source="form",
        actor=SYSTEM,
        now=again,
    )
    assert confirm(old, again) is Standing.LEFT
    assert confirm(ConfirmLink(list_.pk, ada.pk, again), again) is Standing.CONFIRMED


def test_staff_may_ask_again_after_a_while_and_only_who_waits() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)

    def ask(minutes: int) -> None:
        now = NOW + timedelta(minutes=minutes)
        services.ask_confirmation(workspace=room, list_id=list_.pk, contact_id=ada.pk, actor=make_actor(), now=now)

    with pytest.raises(ConfirmationNotWanted):
        ask(0)
    link = sign_up(room, list_, ada)
    with pytest.raises(ConfirmationTooSoon):
        ask(9)
    ask(10)
    assert (questions(), ListMember.objects.get().confirmation_count) == (2, 2)
    confirm(link)
    with pytest.raises(ConfirmationNotWanted):
        ask(60)


def test_everybody_who_waits_and_was_never_asked_is_asked_once_however_often_the_job_runs() -> None:
    room = make_workspace()
    list_ = make_asking_list(room)
    people = [make_contact(room, f"p{number}@example.com") for number in range(5)]
    for one in people[1:]:
        ListMember.objects.create(list=list_, contact=one, status="pending", created_at=NOW, updated_at=NOW)
    sign_up(room, list_, people[0])
    assert services.run_confirmations(list_id=list_.pk, clock=lambda: NOW) == 4
    assert services.run_confirmations(list_id=list_.pk, clock=lambda: NOW) == 0
    asked = DomainEvent.objects.filter(name="list.confirmation_wanted").values_list("contact_id", flat=True)
    assert sorted(asked) == [one.pk for one in people]


def test_a_link_to_what_is_gone_leads_nowhere() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    link = sign_up(room, list_, ada)
    services.delete_contact(workspace=room, uid=ada.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchContact):
        confirm(link)
    services.delete_list(workspace=room, list_id=list_.pk, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchList):
        confirm(link)


def test_a_token_is_for_one_purpose_and_cannot_be_changed() -> None:
    token = confirm_token(ConfirmLink(7, 9, NOW))
    assert read_confirm_token(token) == ConfirmLink(7, 9, NOW)
    assert read_preference_token(token) is None
    spoilt = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    assert {read_confirm_token(one) for one in (*spoilt, "", token[:-1], token + "A", "é")} == {None}


def test_a_list_without_double_opt_in_subscribes_at_once() -> None:
    room = make_workspace()
    ada, list_ = make_contact(room), make_asking_list(room)
    terms = ListTerms(name="Letter", is_double_opt_in=False)
    services.update_list(workspace=room, list_id=list_.pk, terms=terms, actor=SYSTEM, now=NOW)
    sign_up(room, list_, ada)
    assert (status_of(list_, ada), questions()) == (MemberStatus.SUBSCRIBED, 0)


def test_an_import_onto_such_a_list_asks_whoever_it_brings() -> None:
    room = make_workspace()
    list_ = make_asking_list(room)
    run = services.start_import(
        workspace=room,
        upload=Upload(BytesIO(b"email\nada@example.com\nbob@example.com\n"), "people.csv"),
        mapping=ImportMapping(columns={"email": "email"}, list_id=list_.pk),
        actor=SYSTEM,
        now=NOW,
    )
    services.run_import(run_uid=run.uid, clock=lambda: NOW)
    assert set(ListMember.objects.values_list("status", flat=True)) == {"pending"}
    jobs = ProcrastinateJob.objects.filter(task_name="contacts.ask_confirmations")
    assert [job.args for job in jobs] == [{"list_id": list_.pk}]
    assert services.run_confirmations(list_id=list_.pk, clock=lambda: NOW) == 2


def test_nobody_who_wants_no_mail_at_all_is_asked() -> None:
    room = make_workspace()
    list_ = make_asking_list(room)
    ada, bob = make_contact(room), make_contact(room, "bob@example.com")
    for one in (ada, bob):
        ListMember.objects.create(list=list_, contact=one, status="pending", created_at=NOW, updated_at=NOW)
    services.opt_out(workspace=room, contact_id=ada.pk, scope=OptOutScope(), source="t", actor=SYSTEM, now=NOW)
    services.run_confirmations(list_id=list_.pk, clock=lambda: NOW)
    events.dispatch_events(now=NOW)
    assert list(Message.objects.values_list("to", flat=True)) == [["bob@example.com"]]
