"""Who is clear needs no judgement: over every combination of what is known of people, the rule lets them through."""

from itertools import product
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors
from postroom.core.contacts.models import Category, Consent, Contact, ContactWorkspace, List, ListMember, Suppression
from postroom.core.contacts.rules import may_we_mail
from postroom.core.contacts.types import ConsentState, Fence, MemberStatus, SuppressionReason, SuppressionScope
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from tests.core.contacts.people import make_contact, make_list
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

CLASSES: Final = ("transactional", "reply", "system", "marketing", "outreach")


def make_crowd(room: Workspace, fence_list: List, category: Category) -> list[tuple[int, str]]:
    """Return people in every state that a contact, its link, a membership, a consent and a suppression can have."""
    states = list(
        product(
            (None, "here", "erased", "out everywhere", "renamed", "elsewhere", "unsubscribed"),
            (None, *MemberStatus),
            (None, *ConsentState),
            (None, *product(SuppressionReason, SuppressionScope)),
        )
    )
    people = Contact.objects.bulk_create(
        Contact(
            organization=room.organization,
            email=f"p{number}@example.com",
            address_hash=crypto.address_hash(f"p{number}@example.com"),
            is_globally_opted_out=standing == "out everywhere",
            erased_at=NOW if standing == "erased" else None,
            created_at=NOW,
            updated_at=NOW,
        )
        for number, (standing, *_) in enumerate(states)
    )
    pairs = list(zip(people, states, strict=True))
    ContactWorkspace.objects.bulk_create(
        ContactWorkspace(
            contact=person,
            workspace=room,
            status="unsubscribed" if standing == "unsubscribed" else "neutral",
            created_at=NOW,
        )
        for person, (standing, *_) in pairs
        if standing != "elsewhere"
    )
    ListMember.objects.bulk_create(
        ListMember(list=fence_list, contact=person, status=status, created_at=NOW, updated_at=NOW)
        for person, (_, status, *_) in pairs
        if status
    )
    Consent.objects.bulk_create(
        Consent(contact=person, category=category, state=state, updated_at=NOW)
        for person, (_, _, state, _) in pairs
        if state
    )
    Suppression.objects.bulk_create(
        Suppression(
            scope=found[1],
            organization=room.organization if found[1] == SuppressionScope.ORGANIZATION else None,
            workspace=room if found[1] == SuppressionScope.WORKSPACE else None,
            reason=found[0],
            address_hash=person.address_hash,
            created_at=NOW,
        )
        for person, (*_, found) in pairs
        if found
    )
    return [(one.pk, f"old-{one.email}" if state[0] == "renamed" else str(one.email)) for one, state in pairs]


def test_whoever_is_clear_may_get_every_class_of_mail_and_plain_people_are_clear() -> None:
    room = make_workspace()
    members = make_list(room)
    category = Category.objects.create(workspace=room, slug="news", name="News", created_at=NOW)
    people = make_crowd(room, members, category)
    for fence in (
        Fence(),
        Fence(list_ids=(members.pk,)),
        Fence(category_id=category.pk),
        Fence(list_ids=(members.pk,), category_id=category.pk),
    ):
        clear = selectors.find_clear_people(workspace=room, people=people, fence=fence)
        states = selectors.load_mail_states(workspace=room, contact_ids=[pk for pk, _ in people], fence=fence)
        allowed = {pk for pk, email in people if pk in states and states[pk].address == email}
        for message_class in CLASSES:
            allowed -= {
                pk
                for pk in allowed
                if not may_we_mail(
                    states[pk],
                    message_class=message_class,
                    has_list=bool(fence.list_ids),
                    has_category=fence.category_id is not None,
                ).is_allowed
            }
        assert clear == allowed
        assert clear


def test_a_suppression_of_another_workspace_only_sends_people_to_the_rule() -> None:
    room, stranger = make_workspace(), make_workspace()
    ada = make_contact(room, "ada@example.com")
    Suppression.objects.create(
        scope="workspace", workspace=stranger, reason="manual", address_hash=ada.address_hash, created_at=NOW
    )
    assert selectors.find_clear_people(workspace=room, people=[(ada.pk, "ada@example.com")], fence=Fence()) == set()


def test_lists_and_categories_of_another_workspace_clear_nobody() -> None:
    room, stranger = make_workspace(), make_workspace()
    ada = make_contact(room, "ada@example.com")
    theirs = make_list(stranger)
    ListMember.objects.create(list=theirs, contact=ada, status="subscribed", created_at=NOW, updated_at=NOW)
    people = [(ada.pk, "ada@example.com")]
    assert selectors.find_clear_people(workspace=room, people=people, fence=Fence(list_ids=(theirs.pk,))) == set()
    assert selectors.find_clear_people(workspace=stranger, people=people, fence=Fence()) == set()


def test_profiles_of_clear_people_are_those_that_are_loaded_otherwise_in_one_statement() -> None:
    room = make_workspace()
    people = [make_contact(room, f"p{number}@example.com") for number in range(4)]
    Contact.objects.filter(pk=people[0].pk).update(custom={"plan": "gold", "email": "shadow"})
    pairs = [(one.pk, str(one.email)) for one in people]
    with CaptureQueriesContext(connection) as seen:
        found = selectors.load_clear_profiles(workspace=room, people=pairs, fence=Fence())
    assert len(seen) == 1
    assert found == selectors.load_profiles(contact_ids=[pk for pk, _ in pairs])
    assert found[people[0].pk]["plan"] == "gold"
    assert found[people[0].pk]["email"] == "p0@example.com"


def test_profiles_for_a_list_bring_what_the_list_knows_of_its_members() -> None:
    room = make_workspace()
    ada, bob = make_contact(room, "ada@example.com"), make_contact(room, "bob@example.com")
    news = make_list(room)
    for contact, properties in ((ada, {"company": "Acme"}), (bob, {})):
        ListMember.objects.create(
            list=news, contact=contact, status="subscribed", properties=properties, created_at=NOW, updated_at=NOW
        )
    pairs = [(ada.pk, "ada@example.com"), (bob.pk, "bob@example.com")]
    found = selectors.load_clear_profiles(workspace=room, people=pairs, fence=Fence(list_ids=(news.pk,)))
    assert (found[ada.pk]["properties"], found[bob.pk]["properties"]) == ({"company": "Acme"}, {})
    assert found[ada.pk]["company"] == ""
    assert found == selectors.load_profiles(contact_ids=[ada.pk, bob.pk], list_ids=(news.pk,))
