"""Taking an import back: whom it brought goes, whoever has a life of their own since stays."""

from datetime import timedelta

import pytest
from django.db import connection

from postroom.core.contacts import ports, selectors, services
from postroom.core.contacts.errors import ImportOver, NoSuchImport
from postroom.core.contacts.models import (
    BulkChange,
    BulkRun,
    Contact,
    ContactTag,
    ContactWorkspace,
    ImportBatch,
    ImportRun,
    ListMember,
    Suppression,
)
from postroom.core.contacts.services.imports import run, undo
from postroom.core.contacts.types import (
    ContactChanges,
    Deed,
    ImportMapping,
    ImportStatus,
    KeptBy,
    MemberStatus,
    NewContact,
)
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import AuditEntry, Workspace
from tests.core.contacts.imports import finish_import, import_text, start_import
from tests.core.contacts.people import make_contact, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
MAPPING = ImportMapping({"Email": "email", "Name": "first_name"}, tags=("fair",))


def people(*names: str) -> str:
    """Return a file of people."""
    return "Email,Name\n" + "".join(f"{name}@example.com,{name.title()}\n" for name in names)


def undo_all(room: Workspace, done: ImportRun) -> ImportRun:
    """Undo an import as its job does."""
    services.undo_import(workspace=room, uid=done.uid, actor=make_actor(), now=LATER)
    services.run_import_undo(run_uid=done.uid, clock=lambda: LATER)
    done.refresh_from_db()
    return done


def left() -> set[str]:
    """Return who is still there."""
    return {str(one.email).partition("@")[0] for one in Contact.objects.all()}


def test_an_undone_import_leaves_those_who_were_there_before_and_nothing_else() -> None:
    room = make_workspace()
    make_contact(room, "before@example.com")
    list_ = make_list(room, name="News")
    done = import_text(room, people("before", "a", "b"), ImportMapping(MAPPING.columns, ("fair",), list_.pk))
    undone = undo_all(room, done)
    assert (undone.status, undone.undone_rows, undone.kept_rows, undone.error) == (ImportStatus.UNDONE, 2, {}, "")
    assert left() == {"before"}
    assert Contact.objects.get().first_name == "Before"
    for model in (ContactTag, ContactWorkspace, ListMember):
        assert set(model.objects.values_list("contact__email", flat=True)) <= {"before@example.com"}
    assert not Suppression.objects.exists()
    told = DomainEvent.objects.get(name="import.undone")
    assert told.data == {"deleted": 2, "kept": {}}


def test_whoever_was_changed_since_stays_with_the_reason() -> None:
    room = make_workspace()
    names = ("edited", "tagged", "listed", "noted", "elsewhere", "plain", "gone", "bulk")
    done = import_text(room, people(*names), MAPPING)
    actor, by = make_actor(), {str(one.email).partition("@")[0]: one for one in Contact.objects.all()}
    services.update_contact(
        workspace=room, uid=by["edited"].uid, changes=ContactChanges(company="X"), actor=actor, now=NOW
    )
    services.tag_contact(workspace=room, uid=by["tagged"].uid, tag_name="vip", actor=actor, now=NOW)
    set_member(room, make_list(room, name="News"), by["listed"], MemberStatus.SUBSCRIBED)
    other = make_workspace(organization=room.organization)
    services.create_contact(workspace=other, new=NewContact(email="elsewhere@example.com"), actor=actor, now=NOW)
    services.delete_contact(workspace=room, uid=by["gone"].uid, actor=actor, now=NOW)
    import_text(room, "Email,Name\nnoted@example.com,Another name\n", MAPPING)
    Contact.objects.filter(pk=by["noted"].pk).update(updated_at=LATER)
    tag_in_bulk(room, by["bulk"])
    forecast = selectors.forecast_undo(run=done)
    assert (forecast.judged, forecast.is_everybody, forecast.deleted) == (8, True, 1)
    assert forecast.kept == {KeptBy.CHANGED: 5, KeptBy.ELSEWHERE: 1}
    undone = undo_all(room, done)
    assert left() == {"edited", "tagged", "listed", "noted", "elsewhere", "bulk"}
    assert (undone.undone_rows, undone.kept_rows) == (2, {"changed": 5, "elsewhere": 1})
    assert undone.error == "6 people stay: 5 changed since, 1 in another workspace as well."


def tag_in_bulk(room: Workspace, contact: Contact) -> None:
    """Tag one person by a bulk action, which leaves no time on them."""
    bulk = BulkRun.objects.create(workspace=room, door="web", action="tag", created_at=LATER)
    BulkChange.objects.create(run=bulk, contact_ids=[contact.pk])


def test_whoever_was_mailed_since_stays() -> None:
    room = make_workspace()
    done = import_text(room, people("mailed", "plain"), MAPPING)
    contact = Contact.objects.get(email="mailed@example.com")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE sent_mail (contact_id bigint)")
        cursor.execute("INSERT INTO sent_mail VALUES (%s)", [contact.pk])
    real = ports.deed_rows(Deed.SENT)
    try:
        ports.provide_deeds({Deed.SENT: ports.DeedRows("sent_mail x WHERE true", "now()")})
        undone = undo_all(room, done)
    finally:
        ports.provide_deeds({Deed.SENT: real})
    assert left() == {"mailed"}
    assert undone.error == "1 person stays: 1 mailed since."


def test_an_opt_out_that_came_with_the_import_outlives_its_undo() -> None:
    room = make_workspace()
    mapping = ImportMapping({"Email": "email", "S": "status"})
    done = import_text(room, "Email,S\na@example.com,unsubscribed\nb@example.com,\n", mapping)
    undo_all(room, done)
    assert left() == set()
    assert Suppression.objects.get().email == "a@example.com"


def test_an_undo_cut_off_half_way_goes_on_where_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    monkeypatch.setattr(run, "BATCH_SIZE", 3)
    done = import_text(room, people(*"abcdefghij"), MAPPING)
    assert ImportBatch.objects.filter(run=done).count() == 4
    services.undo_import(workspace=room, uid=done.uid, actor=make_actor(), now=LATER)
    assert undo._undo_batch(done, LATER)
    assert Contact.objects.count() == 9
    services.run_import_undo(run_uid=done.uid, clock=lambda: LATER)
    services.run_import_undo(run_uid=done.uid, clock=lambda: LATER)
    done.refresh_from_db()
    assert (done.status, done.undone_rows, Contact.objects.count()) == (ImportStatus.UNDONE, 10, 0)
    assert AuditEntry.objects.filter(act="import.undone").count() == 1


def test_an_undo_that_is_given_up_says_so_and_can_be_asked_for_again() -> None:
    room = make_workspace()
    done = import_text(room, people("a"), MAPPING)
    services.undo_import(workspace=room, uid=done.uid, actor=make_actor(), now=LATER)
    services.fail_import_undo(run_uid=done.uid, reason="The disk is full.", now=LATER)
    done.refresh_from_db()
    assert (done.status, done.error) == (ImportStatus.DONE, "The undo stopped: The disk is full.")
    assert undo_all(room, done).status == ImportStatus.UNDONE


def test_what_is_under_way_brought_nobody_or_is_a_strangers_cannot_be_undone() -> None:
    room, actor = make_workspace(), make_actor()
    waiting = start_import(room, people("a"), MAPPING)
    with pytest.raises(ImportOver):
        services.undo_import(workspace=room, uid=waiting.uid, actor=actor, now=LATER)
    done = finish_import(waiting)
    with pytest.raises(NoSuchImport):
        services.undo_import(workspace=make_workspace(), uid=done.uid, actor=actor, now=LATER)
    again = import_text(room, people("a"), MAPPING)
    with pytest.raises(ImportOver, match="nobody"):
        services.undo_import(workspace=room, uid=again.uid, actor=actor, now=LATER)
    services.undo_import(workspace=room, uid=done.uid, actor=actor, now=LATER)
    with pytest.raises(ImportOver, match="under way"):
        services.undo_import(workspace=room, uid=done.uid, actor=actor, now=LATER)


def test_a_cancelled_import_stops_at_the_next_edge_and_keeps_what_it_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    monkeypatch.setattr(run, "BATCH_SIZE", 2)
    started = start_import(room, people(*"abcdef"), MAPPING)
    ticks = iter(range(100))

    def clock_that_cancels() -> object:
        if next(ticks) == 2:  # the clock is read at the start and before each batch
            services.cancel_import(workspace=room, uid=started.uid, actor=make_actor(), now=NOW)
        return NOW

    services.run_import(run_uid=started.uid, clock=clock_that_cancels)  # type: ignore[arg-type]
    started.refresh_from_db()
    assert (started.status, started.processed_rows, Contact.objects.count()) == (ImportStatus.CANCELLED, 2, 2)
    assert started.finished_at == NOW
    with pytest.raises(ImportOver):
        services.cancel_import(workspace=room, uid=started.uid, actor=make_actor(), now=NOW)
    assert undo_all(room, started).undone_rows == 2


def test_whom_a_later_import_tagged_stays() -> None:
    room = make_workspace()
    first = import_text(room, people("ada", "bob"), MAPPING)
    later = start_import(room, people("ada"), ImportMapping({"Email": "email"}, tags=("vip",)))
    finish_import(later, now=NOW + timedelta(minutes=10))
    undo_all(room, first)
    assert [one.email for one in Contact.objects.all()] == ["ada@example.com"]
    first.refresh_from_db()
    assert first.kept_rows == {KeptBy.CHANGED.value: 1}
