"""Join rows keep both their ends, whoever deletes while others write, though the database does not watch over them."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from django.db import connection, transaction

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, ContactTag, ContactWorkspace, ListMember, Tag
from postroom.core.contacts.rules.import_lines import StagedPerson
from postroom.core.contacts.services.imports import run
from postroom.core.contacts.services.imports.target import Merged, MergeTarget
from postroom.core.contacts.types import ImportMapping
from postroom.core.workspaces.models import Workspace
from tests.core.contacts.imports import finish_import, start_import
from tests.core.contacts.people import make_contact, make_list
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "Email\nada@example.com\nbob@example.com\n"


def act_beside(act: Callable[[], object]) -> Callable[[], None]:
    """Let somebody else act on a connection of their own, until a lock holds them up; return what waits for them."""

    def work() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until_somebody_waits()
    return partial(thread.join, 20)


def wait_until_somebody_waits() -> None:
    """Return once another connection waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(400):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(query)
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("Nobody waits: the act was not held up.")


def everything_has_its_ends() -> bool:
    return services.remove_loose_ends() == 0


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


def mapping(room: Workspace) -> ImportMapping:
    return ImportMapping({"Email": "email"}, tags=("fair",), list_id=make_list(room, name="News").pk)


def test_who_is_deleted_while_an_import_meets_them_leaves_nothing_behind(
    room: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_contact(room, "ada@example.com")
    started = start_import(room, TEXT, mapping(room))
    merge, actor = run.merge_people, make_actor()
    others: list[Callable[[], None]] = []

    def merge_and_be_overtaken(people: Sequence[StagedPerson], target: MergeTarget) -> Merged:
        merged = merge(people, target)
        delete = partial(services.delete_contact, workspace=room, uid=ada.uid, actor=actor, now=NOW)
        others.append(act_beside(delete))
        return merged

    monkeypatch.setattr(run, "merge_people", merge_and_be_overtaken)
    done = finish_import(started)
    others[0]()
    assert (done.created_rows, done.updated_rows) == (1, 1)
    assert {one.email for one in Contact.objects.all()} == {"bob@example.com"}
    assert everything_has_its_ends()


def test_who_goes_before_an_import_reaches_them_comes_back_as_somebody_new(room: Workspace) -> None:
    ada = make_contact(room, "ada@example.com")
    started = start_import(room, TEXT, mapping(room))
    with transaction.atomic():
        services.delete_contact(workspace=room, uid=ada.uid, actor=make_actor(), now=NOW)
        finish_other = act_beside(partial(services.run_import, run_uid=started.uid, clock=lambda: NOW))
    finish_other()
    started.refresh_from_db()
    assert (started.status, started.created_rows, started.updated_rows) == ("done", 2, 0)
    assert Contact.objects.get(email="ada@example.com").pk != ada.pk
    assert everything_has_its_ends()


def test_two_imports_of_the_same_new_people_make_them_once(room: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits at the first address for the first import's commit, and then knows everybody."""
    how = mapping(room)
    first, second = (start_import(room, TEXT, how) for _ in range(2))
    merge = run.merge_people
    others: list[Callable[[], None]] = []

    def merge_and_be_followed(people: Sequence[StagedPerson], target: MergeTarget) -> Merged:
        monkeypatch.setattr(run, "merge_people", merge)
        merged = merge(people, target)
        others.append(act_beside(partial(services.run_import, run_uid=second.uid, clock=lambda: NOW)))
        return merged

    monkeypatch.setattr(run, "merge_people", merge_and_be_followed)
    finish_import(first)
    others[0]()
    second.refresh_from_db()
    assert (first.created_rows, first.updated_rows, first.error_rows) == (2, 0, 0)
    assert (second.status, second.created_rows, second.updated_rows, second.error_rows) == ("done", 0, 2, 0)
    assert (Contact.objects.count(), ContactTag.objects.count(), ListMember.objects.count()) == (2, 2, 2)
    assert everything_has_its_ends()


def test_rows_without_an_end_are_found_and_removed(room: Workspace) -> None:
    list_ = make_list(room, make_contact(room, tags=("vip",)))
    tag = Tag.objects.get()
    missing = 10**12
    ContactTag.objects.create(contact_id=missing, tag=tag)
    ContactTag.objects.create(contact_id=Contact.objects.get().pk, tag_id=missing)
    ContactWorkspace.objects.create(contact_id=missing, workspace=room, created_at=NOW)
    ListMember.objects.create(contact_id=missing, list=list_, status="subscribed", created_at=NOW, updated_at=NOW)
    ListMember.objects.create(
        contact_id=Contact.objects.get().pk, list_id=missing, status="subscribed", created_at=NOW, updated_at=NOW
    )
    assert services.remove_loose_ends() == 5
    assert everything_has_its_ends()
    assert (ContactTag.objects.count(), ContactWorkspace.objects.count(), ListMember.objects.count()) == (1, 1, 1)


def test_deleting_what_join_rows_hang_on_takes_them_along(room: Workspace) -> None:
    ada = make_contact(room, tags=("vip",))
    list_ = make_list(room, ada)
    services.delete_list(workspace=room, list_id=list_.pk, actor=make_actor(), now=NOW)
    Tag.objects.all().delete()
    services.delete_contact(workspace=room, uid=ada.uid, actor=make_actor(), now=NOW)
    for model in (ContactTag, ContactWorkspace, ListMember):
        assert model.objects.count() == 0
