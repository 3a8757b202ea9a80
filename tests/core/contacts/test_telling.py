"""Webhooks hear what becomes of people, once for each list they are on."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import ContactChanges, MemberStatus, NewContact, OptOutScope
from postroom.core.webhooks.models import Call
from postroom.core.webhooks.selectors import ears
from postroom.core.workspaces.types import SYSTEM
from tests.core.webhooks.making import make_endpoint
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    """Return the events that were told and forget them."""
    found = [call.type for call in Call.objects.order_by("uid")]
    Call.objects.all().delete()
    return sorted(found)


def test_a_person_is_told_of_from_the_first_day_to_the_last() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    ann = make_contact(workspace=room, email="ann@example.com")
    assert told() == ["contact.created"]
    book = make_list(workspace=room, members=[ann])
    [call] = Call.objects.all()
    assert call.type == "member.created"
    assert (call.data["email"], call.data["list"], call.data["is_subscribed"]) == (
        "ann@example.com",
        str(book.uid),
        True,
    )
    assert told() == ["member.created"]
    changes = ContactChanges(first_name="Anna")
    for _ in range(2):
        contacts.update_contact(workspace=room, uid=ann.uid, changes=changes, actor=SYSTEM, now=NOW)
    assert told() == ["contact.updated", "member.updated"]
    contacts.opt_out(
        workspace=room, contact_id=ann.pk, scope=OptOutScope((book.pk,)), source="link", actor=SYSTEM, now=NOW
    )
    [call] = Call.objects.filter(type="member.updated")
    assert (call.data["is_subscribed"], call.data["first_name"]) == (False, "Anna")
    assert told() == ["contact.updated", "member.updated"]
    contacts.delete_contact(workspace=room, uid=ann.uid, actor=SYSTEM, now=NOW)
    [call] = Call.objects.filter(type="member.deleted")
    assert (call.data["contact"], call.data["list"]) == (str(ann.uid), str(book.uid))
    assert told() == ["contact.deleted", "member.deleted"]


def test_a_merge_ends_one_record_and_changes_the_other() -> None:
    room = make_workspace()
    ann, anna = make_contact(workspace=room), make_contact(workspace=room)
    make_list(workspace=room, members=[ann, anna])
    make_endpoint(workspace=room)
    contacts.merge_contacts(workspace=room, survivor_uid=ann.uid, other_uid=anna.uid, choices={}, actor=SYSTEM, now=NOW)
    assert [one for one in told() if "deleted" in one or "updated" in one] == [
        *("contact.deleted", "contact.updated", "member.deleted", "member.updated")
    ]


def test_other_workspaces_hear_nothing() -> None:
    room = make_workspace()
    other = make_workspace(organization=room.organization)
    make_endpoint(workspace=other)
    ann = make_contact(workspace=room, email="ann@example.com")
    make_list(workspace=room, members=[ann])
    assert told() == []
    contacts.create_contact(workspace=other, new=NewContact(email="ann@example.com"), actor=SYSTEM, now=NOW)
    assert told() == ["contact.created"]


def test_where_nobody_listens_people_cost_no_statement_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "KNOWN_FOR_S", 60.0)
    room, other = make_workspace(), make_workspace()
    make_endpoint(workspace=other)
    ann = make_contact(workspace=room)
    book = make_list(workspace=room)
    with CaptureQueriesContext(connection) as queries:
        contacts.set_list_member(
            workspace=room,
            list_id=book.pk,
            contact_id=ann.pk,
            status=MemberStatus.SUBSCRIBED,
            source="test",
            actor=SYSTEM,
            now=NOW,
        )
    assert [one for one in queries if "webhooks_" in one["sql"]] == []
