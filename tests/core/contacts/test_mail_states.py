"""All that may-we-mail asks, read for many people in one statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors, services
from postroom.core.contacts.models import Contact
from postroom.core.contacts.rules import may_we_mail
from postroom.core.contacts.selectors import mail_states
from postroom.core.contacts.types import (
    ConsentState,
    Fence,
    MailState,
    MemberStatus,
    OptOutScope,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.workspaces.models import Workspace
from tests.core.contacts.people import make_contact, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


ANY_MAIL: Final = Fence()


@contextmanager
def statements(expected: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as seen:
        yield
    assert len(seen) == expected, [query["sql"][:80] for query in seen]


def suppress(
    room: Workspace, email: str, scope: SuppressionScope, reason: SuppressionReason = SuppressionReason.MANUAL
) -> bool:
    return services.suppress_address(
        workspace=room, email=email, scope=scope, reason=reason, detail="", actor=make_actor(), now=NOW
    )


def state_of(room: Workspace, contact: Contact, fence: Fence = ANY_MAIL) -> MailState:
    return selectors.load_mail_states(workspace=room, contact_ids=[contact.pk], fence=fence)[contact.pk]


def test_states_of_many_people_are_one_statement() -> None:
    room = make_workspace()
    people = [make_contact(room, f"p{number}@example.com") for number in range(5)]
    with statements(1):
        states = selectors.load_mail_states(workspace=room, contact_ids=[one.pk for one in people], fence=Fence())
    assert states == {one.pk: MailState(address=str(one.email), contact_id=one.pk) for one in people}


def test_the_best_standing_on_any_of_the_lists_counts() -> None:
    room = make_workspace()
    ada = make_contact(room)
    one, two = make_list(room, ada, name="One"), make_list(room, ada, name="Two")
    set_member(room, one, ada, MemberStatus.UNSUBSCRIBED)
    assert state_of(room, ada, Fence(list_ids=(one.pk, two.pk))).list_status is MemberStatus.SUBSCRIBED
    assert state_of(room, ada, Fence(list_ids=(one.pk,))).list_status is MemberStatus.UNSUBSCRIBED
    assert state_of(room, ada, Fence(list_ids=(make_list(room, name="Three").pk,))).list_status is None


def test_consent_and_opt_outs_are_read() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    category = services.create_category(workspace=room, name="News", slug="news", actor=actor, now=NOW)
    fence = Fence(category_id=category.pk)
    assert state_of(room, ada, fence).consent is None
    for word in ConsentState:
        services.set_consent(
            workspace=room,
            contact_id=ada.pk,
            category_id=category.pk,
            state=word,
            source="form",
            actor=actor,
            now=NOW,
        )
        assert state_of(room, ada, fence).consent is word
    services.opt_out(workspace=room, contact_id=ada.pk, scope=OptOutScope(), source="link", actor=actor, now=NOW)
    assert state_of(room, ada).is_workspace_unsubscribed
    services.opt_out(
        workspace=room,
        contact_id=ada.pk,
        scope=OptOutScope(is_everything=True),
        source="link",
        actor=actor,
        now=NOW,
    )
    assert state_of(room, ada).is_globally_opted_out


def test_a_suppression_reaches_as_far_as_its_scope() -> None:
    room = make_workspace()
    neighbour, stranger = make_workspace(organization=room.organization), make_workspace()
    emails = {scope: f"{scope.value}@example.com" for scope in SuppressionScope}
    for workspace in (room, stranger):
        for email in emails.values():
            make_contact(workspace, email)
    for scope, email in emails.items():
        suppress(room, email, scope)
    reached = {
        workspace.pk: {
            address
            for address, state in selectors.load_address_states(
                workspace=workspace, addresses=list(emails.values()), fence=Fence()
            ).items()
            if state.suppression
        }
        for workspace in (room, neighbour, stranger)
    }
    assert reached[room.pk] == set(emails.values())
    assert reached[neighbour.pk] == {"platform@example.com", "organization@example.com"}
    assert reached[stranger.pk] == {"platform@example.com"}


def test_a_complaint_outranks_a_bounce_and_not_the_other_way_round() -> None:
    room = make_workspace()
    ada = make_contact(room)
    assert suppress(room, "ADA@example.com", SuppressionScope.WORKSPACE, SuppressionReason.HARD_BOUNCE)
    assert suppress(room, "ada@example.com", SuppressionScope.WORKSPACE, SuppressionReason.COMPLAINT)
    assert not suppress(room, "ada@example.com", SuppressionScope.WORKSPACE, SuppressionReason.COMPLAINT)
    assert not suppress(room, "ada@example.com", SuppressionScope.WORKSPACE, SuppressionReason.HARD_BOUNCE)
    assert state_of(room, ada).suppression is SuppressionReason.COMPLAINT
    suppress(room, "ada@example.com", SuppressionScope.ORGANIZATION, SuppressionReason.MANUAL)
    assert state_of(room, ada).suppression is SuppressionReason.COMPLAINT


def test_an_address_is_judged_with_or_without_a_contact() -> None:
    room = make_workspace()
    ada = make_contact(room)
    suppress(room, "gone@example.com", SuppressionScope.WORKSPACE, SuppressionReason.HARD_BOUNCE)
    addresses = ["ada@example.com", "gone@example.com", "new@example.com", "new@example.com"]
    with statements(1):
        states = selectors.load_address_states(workspace=room, addresses=addresses, fence=Fence())
    assert states["ada@example.com"].contact_id == ada.pk
    assert states["gone@example.com"].suppression is SuppressionReason.HARD_BOUNCE
    assert states["new@example.com"] == MailState(address="new@example.com")


def test_people_lists_and_consent_of_others_do_not_count() -> None:
    room, stranger = make_workspace(), make_workspace()
    ada, eve = make_contact(room), make_contact(stranger)
    assert selectors.load_mail_states(workspace=room, contact_ids=[eve.pk], fence=Fence()) == {}
    neighbour = make_workspace(organization=room.organization)
    shared = make_contact(neighbour)
    assert shared.pk == ada.pk
    theirs = make_list(neighbour, shared)
    assert state_of(neighbour, shared, Fence(list_ids=(theirs.pk,))).list_status is MemberStatus.SUBSCRIBED
    assert state_of(room, ada, Fence(list_ids=(theirs.pk,))).list_status is None
    services.opt_out(
        workspace=neighbour, contact_id=ada.pk, scope=OptOutScope(), source="link", actor=make_actor(), now=NOW
    )
    assert not state_of(room, ada).is_workspace_unsubscribed


def test_an_opt_out_survives_deletion_and_a_new_import_of_the_person() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    services.opt_out(workspace=room, contact_id=ada.pk, scope=OptOutScope(), source="link", actor=actor, now=NOW)
    services.delete_contact(workspace=room, uid=ada.uid, actor=actor, now=NOW)
    state = state_of(room, make_contact(room))
    assert not may_we_mail(state, message_class="marketing", has_list=False, has_category=False).is_allowed


def test_the_statement_reads_by_index() -> None:
    room = make_workspace()
    fill(room, 15_000)
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:50])
    plan = explain(room, ids)
    for table in (
        "contacts_contact ",
        "contacts_contactworkspace ",
        "contacts_suppression ",
        "contacts_listmember ",
        "contacts_consent ",
    ):
        assert f"Seq Scan on {table}" not in plan, plan


def fill(room: Workspace, count: int) -> None:
    """Enough people, with everything said about each, for the planner to care."""
    list_ = make_list(room)
    category = services.create_category(workspace=room, name="N", slug="n", actor=make_actor(), now=NOW)
    tables = ("contact", "contactworkspace", "listmember", "consent", "suppression")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contact (uid, organization_id, email, address_hash, first_name, last_name, company,"
            " phone, language, timezone, custom, is_globally_opted_out, created_at, updated_at)"
            " SELECT gen_random_uuid(), %s, 'p' || n, decode(md5(n::text), 'hex'), '', '', '', '', '', '', '{}', false,"
            " now(), now() FROM generate_series(1, %s) n",
            [room.organization_id, count],
        )
        cursor.execute(
            "INSERT INTO contacts_contactworkspace (contact_id, workspace_id, status, created_at)"
            " SELECT id, %s, 'neutral', now() FROM contacts_contact",
            [room.pk],
        )
        cursor.execute(
            "INSERT INTO contacts_listmember (contact_id, list_id, status, reason, properties, source, created_at,"
            " updated_at) SELECT id, %s, 'subscribed', '', '{}', '', now(), now() FROM contacts_contact",
            [list_.pk],
        )
        cursor.execute(
            "INSERT INTO contacts_consent (contact_id, category_id, state, updated_at)"
            " SELECT id, %s, 'granted', now() FROM contacts_contact",
            [category.pk],
        )
        cursor.execute(
            "INSERT INTO contacts_suppression (uid, scope, organization_id, workspace_id, address_hash, email, reason,"
            " detail, created_at) SELECT gen_random_uuid(), 'workspace', organization_id, %s, address_hash, '',"
            " 'manual', '', now() FROM contacts_contact",
            [room.pk],
        )
        cursor.execute("ANALYZE " + ", ".join(f"contacts_{table}" for table in tables))


def explain(room: Workspace, ids: list[int]) -> str:
    list_, category = selectors.list_lists(workspace=room)[0], selectors.list_categories(workspace=room)[0]
    params = {
        "workspace": room.pk,
        "organization": room.organization_id,
        "lists": [list_.pk],
        "category": category.pk,
        "ids": ids,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {mail_states._BY_CONTACT}", params)
        return "\n".join(row[0] for row in cursor.fetchall())
