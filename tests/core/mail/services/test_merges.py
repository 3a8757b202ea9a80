"""Mail follows its person through a merge: the ledger, its history, old links, and campaigns that are under way."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, ContactAlias, ListMember
from postroom.core.contacts.types import OptOutScope, SubscriptionStatus
from postroom.core.events import services as events
from postroom.core.insights import selectors as insights
from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, InboundMessage, Message, Recipient
from postroom.core.mail.services import merges
from postroom.core.mail.types import EventType, Hit, MessageClass, MessageStatus, Work
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import jobs
from tests.core.mail.services.bulk import Mailing, claim, freeze, hand_over_all, make_mailing
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENDER_CHUNK_SIZE = 2
    monkeypatch.setattr(merges, "STEP", 2)


def merge(room: Workspace, survivor: Contact, other: Contact) -> int:
    """Merge and let everybody hear of it; return the key of who is gone."""
    old_id = other.pk
    contacts.merge_contacts(
        workspace=room, survivor_uid=survivor.uid, other_uid=other.uid, choices={}, actor=SYSTEM, now=NOW
    )
    return old_id


def person(contact_id: int) -> Contact:
    return Contact.objects.get(pk=contact_id)


def send_all(mailing: Mailing) -> dict[str, str]:
    """Send what is left of a batch; return why each address did not get it."""
    seen: dict[str, str] = {}
    while (work := mail.claim_work(owner="here-1", now=NOW)) is not None:
        seen |= settle(work)
    return seen


def settle(work: Work) -> dict[str, str]:
    handovers = [
        done._replace(result=None, refusal=item.refusal) if item.refusal else done
        for item, done in zip(work.items, hand_over_all(work), strict=True)
    ]
    mail.finish_chunk(claim=work.claim, handovers=handovers, now=NOW)  # type: ignore[arg-type]
    return {item.to[0]: item.refusal for item in work.items}


def test_messages_and_their_history_become_the_survivors() -> None:
    room = make_workspace()
    one, two = make_contact(workspace=room), make_contact(workspace=room)
    for number, whose in enumerate((one, *[two] * 5)):
        message = make_message(workspace=room, contact=whose)
        hit = Hit(key=f"k{number}", type=EventType.OPENED, message_id=message.pk, at=NOW + timedelta(hours=number))
        mail.store_hits(hits=[hit])
    mail.apply_hits(now=NOW + timedelta(hours=9))
    InboundMessage.objects.create(
        workspace=room, recipient="x@example.com", raw=b"", contact_id=two.pk, message_id=message.pk, received_at=NOW
    )
    before = (Message.objects.count(), DeliveryEvent.objects.count())
    old_id = merge(room, one, two)
    # The page is whole at once, before the ledger has followed.
    told = insights.contact_timeline(workspace=room, contact_uid=one.uid)
    assert sum(entry.kind == "mail.sent" for entry in told.entries) == 6
    assert sum(entry.kind == "mail.machine_opened" for entry in told.entries) == 6
    mail.move_mail(old_id=old_id)
    assert (Message.objects.filter(contact=one).count(), DeliveryEvent.objects.filter(contact_id=one.pk).count()) == (
        6,
        6,
    )
    assert (Message.objects.count(), DeliveryEvent.objects.count()) == before
    assert InboundMessage.objects.get().contact_id == one.pk
    assert insights.contact_timeline(workspace=room, contact_uid=one.uid) == told
    mail.move_mail(old_id=old_id)
    assert Message.objects.filter(contact=one).count() == 6


def test_the_merge_has_the_mail_moved_by_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    deferred: list[int] = []
    monkeypatch.setattr("postroom.core.mail.jobs.defer", lambda job, **args: deferred.append(args["old_id"]))
    assert jobs.Job("x").queue == "default"
    room = make_workspace()
    old_id = merge(room, make_contact(workspace=room), make_contact(workspace=room))
    events.dispatch_events(now=NOW)
    assert deferred == [old_id]


def test_mail_moves_to_who_the_survivor_became_since() -> None:
    room = make_workspace()
    one, two, three = (make_contact(workspace=room) for _ in range(3))
    make_message(workspace=room, contact=three)
    first = merge(room, two, three)
    merge(room, one, two)
    mail.move_mail(old_id=first)
    assert Message.objects.get().contact_id == one.pk


def test_who_is_not_merged_keeps_their_mail() -> None:
    room = make_workspace()
    one = make_contact(workspace=room)
    make_message(workspace=room, contact=one)
    mail.move_mail(old_id=one.pk)
    assert Message.objects.get().contact_id == one.pk


@pytest.mark.parametrize("has_moved", [True, False])
def test_an_old_unsubscribe_link_opts_the_survivor_out(has_moved: bool) -> None:
    mailing = freeze(make_mailing(people=2))
    work = claim()
    settle(work)
    one, two = (person(pk) for pk in mailing.contact_ids)
    message = Message.objects.get(contact=two)
    old_id = merge(mailing.workspace, one, two)
    if has_moved:
        mail.move_mail(old_id=old_id)
    found = mail.unsubscribe_message(message_id=message.pk, source="link", now=NOW)
    assert found.email == message.to[0]
    member = ListMember.objects.get(contact=one)
    assert member.status == "unsubscribed"


def test_two_records_in_a_frozen_audience_get_one_mail() -> None:
    mailing = freeze(make_mailing(people=5))
    one, two = (person(pk) for pk in mailing.contact_ids[1:4:2])
    old_id = merge(mailing.workspace, one, two)
    mail.move_mail(old_id=old_id)
    seen = send_all(mailing)
    assert len(seen) == 5
    assert {address: why for address, why in seen.items() if why} == {two.email: "deleted"}
    assert Message.objects.filter(status=MessageStatus.SENT).count() == 4


@pytest.mark.parametrize("has_moved", [True, False])
def test_a_no_of_either_record_holds_in_a_campaign_under_way(has_moved: bool) -> None:
    mailing = freeze(make_mailing(people=4))
    one, two = (person(pk) for pk in mailing.contact_ids[:2])
    room = mailing.workspace
    contacts.opt_out(workspace=room, contact_id=two.pk, scope=OptOutScope(), source="link", actor=SYSTEM, now=NOW)
    old_id = merge(room, one, two)
    if has_moved:
        mail.move_mail(old_id=old_id)
    assert one.links.get(workspace=room).status == SubscriptionStatus.UNSUBSCRIBED
    seen = send_all(mailing)
    assert {address for address, why in seen.items() if why} == {one.email, two.email}


def test_who_is_in_a_campaign_under_the_old_record_alone_gets_it_at_the_address_kept() -> None:
    mailing = freeze(make_mailing(people=3))
    room = mailing.workspace
    survivor = make_contact(workspace=room, email="kept@example.com")
    other = person(mailing.contact_ids[2])
    old_id = merge(room, survivor, other)
    mail.move_mail(old_id=old_id)
    assert Recipient.objects.get(contact_id=survivor.pk).email == "kept@example.com"
    seen = send_all(mailing)
    assert seen["kept@example.com"] == ""
    assert other.email not in seen
    assert len(seen) == 3


def test_a_chunk_that_is_being_sent_is_left_alone() -> None:
    mailing = freeze(make_mailing(people=2))
    room = mailing.workspace
    survivor = make_contact(workspace=room, email="kept@example.com")
    other = person(mailing.contact_ids[0])
    work = claim()
    old_id = merge(room, survivor, other)
    mail.move_mail(old_id=old_id)
    assert settle(work) == {item.to[0]: "" for item in work.items}
    assert not Recipient.objects.filter(contact_id=survivor.pk).exists()
    assert Message.objects.filter(contact_id=old_id).exists()
    told = insights.contact_timeline(workspace=room, contact_uid=survivor.uid)
    assert any(entry.kind == "mail.sent" for entry in told.entries)
    mail.move_mail(old_id=old_id)
    assert Message.objects.filter(contact=survivor).count() == 1


def test_a_single_message_to_the_address_given_up_obeys_the_survivor() -> None:
    room = make_workspace()
    one, two = make_contact(workspace=room), make_contact(workspace=room, email="old@example.com")
    make_message(
        workspace=room,
        contact=two,
        to=["old@example.com"],
        status=MessageStatus.QUEUED,
        sent_at=None,
        next_attempt_at=NOW,
        message_class=MessageClass.MARKETING,
    )
    merge(room, one, two)
    contacts.opt_out(
        workspace=room,
        contact_id=one.pk,
        scope=OptOutScope(is_everything=True),
        source="link",
        actor=SYSTEM,
        now=NOW,
    )
    (item,) = claim().items
    assert item.refusal == "opted_out_everywhere"


def test_the_steps_use_indexes() -> None:
    room = make_workspace()
    one, two = make_contact(workspace=room), make_contact(workspace=room)
    old_id = merge(room, one, two)
    assert ContactAlias.objects.filter(old_id=old_id).exists()
    with CaptureQueriesContext(connection) as queries:
        mail.move_mail(old_id=old_id)
    moves = [one["sql"] for one in queries if one["sql"].lstrip().startswith("UPDATE mail_")]
    assert len(moves) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for statement in moves:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in plan
