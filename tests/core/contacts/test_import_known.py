"""Imports that meet people who are there already, by whatever address."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import rules, selectors, services
from postroom.core.contacts.models import Contact, ContactWorkspace, ListMember
from postroom.core.contacts.services.imports import run
from postroom.core.contacts.types import ImportMapping, NewContact
from postroom.core.workspaces.models import Workspace
from tests.core.contacts.imports import finish_import, import_text, start_import
from tests.core.contacts.people import make_contact
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

MAPPING = ImportMapping({"Email": "email", "Name": "first_name", "Firm": "company"})


def found(words: str) -> list[str | None]:
    """Return whom search finds."""
    query = rules.search_query(words)
    people = Contact.objects.extra(where=["search @@ %s::tsquery"], params=[query])
    return sorted(str(one.email) for one in people)


def make_merged(room: Workspace) -> Contact:
    """Return a person who gave up the address old@example.com in a merge."""
    kept, old = make_contact(room, "kept@example.com"), make_contact(room, "old@example.com")
    return services.merge_contacts(
        workspace=room, survivor_uid=kept.uid, other_uid=old.uid, choices={}, actor=make_actor(), now=NOW
    )


def test_people_are_found_by_what_an_import_says_of_them_new_and_known_alike() -> None:
    room = make_workspace()
    make_contact(room, "known@example.com")
    import_text(room, "Email,Name,Firm\nnew@example.com,Zoë,Müller & Co\nknown@example.com,,Straße AG\n", MAPPING)
    assert found("mull") == found("zoe") == ["new@example.com"]
    assert found("strasse") == found("ada") == ["known@example.com"]
    assert found("example.com") == ["known@example.com", "new@example.com"]


def test_an_address_given_up_in_a_merge_still_means_the_person() -> None:
    room = make_workspace()
    survivor = make_merged(room)
    done = import_text(room, "Email,Name,Firm\nold@example.com,Augusta,\n", MAPPING)
    assert (done.created_rows, done.updated_rows) == (0, 1)
    survivor.refresh_from_db()
    assert (survivor.email, survivor.first_name) == ("kept@example.com", "Augusta")
    assert found("augusta") == ["kept@example.com"]


def test_two_rows_that_mean_one_person_since_a_merge_are_both_taken_over() -> None:
    room = make_workspace()
    survivor = make_merged(room)
    text = "Email,Name,Firm\nkept@example.com,Augusta,\nold@example.com,,Acme\nnew@example.com,New,\n"
    mapping = ImportMapping({**MAPPING.columns}, tags=("fair",), new_list="News")
    done = import_text(room, text, mapping)
    assert (done.created_rows, done.updated_rows, done.error_rows) == (1, 2, 0)
    survivor.refresh_from_db()
    assert (survivor.first_name, survivor.company) == ("Augusta", "Acme")
    assert found("augusta acme") == ["kept@example.com"]
    assert [tag.name for tag in selectors.list_tags(workspace=room)] == ["fair"]
    assert ListMember.objects.count() == 2


def test_whom_the_organization_knows_comes_into_the_workspace() -> None:
    room = make_workspace()
    elsewhere = make_workspace(organization=room.organization)
    services.create_contact(
        workspace=elsewhere, new=NewContact(email="ada@example.com", first_name="Ada"), actor=make_actor(), now=NOW
    )
    done = import_text(room, "Email,Name,Firm\nada@example.com,,Acme\n", MAPPING)
    assert (done.created_rows, done.updated_rows) == (0, 1)
    assert ContactWorkspace.objects.filter(workspace=room).count() == 1


def test_a_person_of_another_organization_is_another_person() -> None:
    theirs = make_contact(make_workspace(), "ada@example.com")
    done = import_text(make_workspace(), "Email,Name,Firm\nada@example.com,Other,\n", MAPPING)
    assert done.created_rows == 1
    theirs.refresh_from_db()
    assert theirs.first_name == "Ada"


@pytest.mark.parametrize("batch_size", [1, 10])
def test_rows_of_one_person_merge_within_a_batch_and_across_batches(
    batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_workspace()
    make_contact(room, "known@example.com")
    monkeypatch.setattr(run, "BATCH_SIZE", batch_size)
    text = "Email,Name,Firm\nnew@example.com,First,Acme\nknown@example.com,X,\nnew@example.com,Second,\n"
    mapping = ImportMapping({**MAPPING.columns}, on_known="skip")
    done = import_text(room, text, mapping)
    assert (done.created_rows, done.updated_rows, done.skipped_rows) == (1, 1, 1)
    new = Contact.objects.get(email="new@example.com")
    assert (new.first_name, new.company) == ("Second", "Acme")
    assert Contact.objects.get(email="known@example.com").first_name == "Ada"


def test_a_batch_costs_the_same_few_statements_whatever_its_size() -> None:
    def count(size: int) -> int:
        room = make_workspace()
        text = "Email,Name,Firm\n" + "".join(f"p{n}@example.com,P,F{n % 7}\n" for n in range(size))
        mapping = ImportMapping({**MAPPING.columns}, tags=("fair",), new_list="News")
        import_text(room, text, mapping)
        started = start_import(room, text.replace(",P,", ",Q,"), ImportMapping({**MAPPING.columns}, tags=("fair",)))
        with CaptureQueriesContext(connection) as captured:
            finish_import(started)
        return len(captured)

    assert count(5) == count(500) < 45
