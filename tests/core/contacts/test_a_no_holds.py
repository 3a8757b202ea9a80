"""A no once said holds: no merge, undo, import, deletion, change of address or coming back elsewhere revives it."""

import io
from collections.abc import Callable

import pytest

from postroom.core.contacts import rules, selectors, services
from postroom.core.contacts.models import BulkRun, ConsentChange, Contact, List, ListMember
from postroom.core.contacts.types import (
    BulkAction,
    BulkKind,
    ConsentState,
    ContactChanges,
    Fence,
    ImportMapping,
    Lift,
    MemberStatus,
    NewSuppression,
    OptOutScope,
    Selection,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.workspaces.models import Workspace
from tests.core.contacts.imports import import_text
from tests.core.contacts.people import make_contact, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


def leave(room: Workspace, contact: Contact, scope: OptOutScope) -> None:
    services.opt_out(workspace=room, contact_id=contact.pk, scope=scope, source="link", actor=make_actor(), now=NOW)


def merge(room: Workspace, survivor: Contact, other: Contact) -> Contact:
    return services.merge_contacts(
        workspace=room, survivor_uid=survivor.uid, other_uid=other.uid, choices={}, actor=make_actor(), now=NOW
    )


def suppress(
    room: Workspace,
    email: str,
    reason: SuppressionReason = SuppressionReason.COMPLAINT,
    scope: SuppressionScope = SuppressionScope.WORKSPACE,
) -> None:
    services.suppress_address(
        workspace=room, email=email, scope=scope, reason=reason, detail="", actor=make_actor(), now=NOW
    )


def take_off(list_: List, *people: Contact) -> BulkRun:
    """Take people off a list by a bulk change."""
    started = services.start_bulk(
        workspace=list_.workspace,
        selection=Selection(uids=tuple(str(one.uid) for one in people)),
        action=BulkAction(BulkKind.UNSUBSCRIBE, {"list_id": list_.pk}),
        actor=make_actor(),
        now=NOW,
    )
    services.run_bulk(run_uid=started.uid, clock=lambda: NOW)
    return started


def take_back(done: BulkRun) -> None:
    services.undo_bulk(workspace=done.workspace, uid=done.uid, actor=make_actor(), now=NOW)
    services.run_bulk_undo(run_uid=done.uid, clock=lambda: NOW)


def forbidden(room: Workspace, email: str, category_id: int | None = None, message_class: str = "marketing") -> str:
    """Return why a mail may not go to an address, empty when it may."""
    fence = Fence(category_id=category_id)
    state = selectors.load_address_states(workspace=room, addresses=[email], fence=fence)[email]
    return rules.may_we_mail(
        state,
        message_class=message_class,
        has_list=False,
        has_category=True,
        allows_prospects=True,
    ).reason


def status(list_: List, contact: Contact) -> str:
    return ListMember.objects.get(list=list_, contact=contact).status


def test_an_undo_brings_nobody_back_who_left_by_the_other_record_of_a_merge() -> None:
    room = make_workspace()
    one, two = make_contact(room), make_contact(room, "ada@work.example")
    bob = make_contact(room, "bob@example.com")
    news = make_list(room, one, two, bob)
    done = take_off(news, one, bob)
    leave(room, two, OptOutScope(list_ids=(news.pk,)))
    merge(room, one, two)
    take_back(done)
    assert (status(news, one), status(news, bob)) == ("unsubscribed", "subscribed")


def test_an_undo_brings_nobody_back_of_whom_it_was_said_by_name_since_that_they_are_off() -> None:
    room = make_workspace()
    ada, bob, eve = (make_contact(room, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    news = make_list(room, ada, bob, eve)
    done = take_off(news, ada, bob, eve)
    set_member(room, news, ada, MemberStatus.UNSUBSCRIBED)
    import_text(
        room, "Email,Lists\nbob@example.com,News=unsubscribed\n", ImportMapping({"Email": "email", "Lists": "lists"})
    )
    said = ConsentChange.objects.filter(list=news, state="unsubscribed").exclude(source__startswith="bulk")
    assert set(said.values_list("contact_id", "source")) == {(ada.pk, "test"), (bob.pk, "import people.csv")}
    take_back(done)
    assert [status(news, one) for one in (ada, bob, eve)] == ["unsubscribed", "unsubscribed", "subscribed"]


def test_coming_back_to_one_workspace_revives_nobody_where_they_come_by_a_file_later() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room)
    leave(room, ada, OptOutScope(is_everything=True))
    services.opt_in(workspace=room, contact_id=ada.pk, source="link", actor=make_actor(), now=NOW)
    import_text(neighbour, "Email\nada@example.com\n", ImportMapping({"Email": "email"}))
    assert forbidden(room, "ada@example.com") == "no_consent"
    assert forbidden(neighbour, "ada@example.com") == "unsubscribed"


def test_an_opt_out_behind_a_dead_mailbox_goes_along_with_the_merged_person() -> None:
    room = make_workspace()
    one, two = make_contact(room), make_contact(room, "ada@work.example")
    suppress(room, "ada@work.example", SuppressionReason.UNSUBSCRIBED)
    suppress(room, "ada@work.example", SuppressionReason.HARD_BOUNCE)
    merge(room, one, two)
    assert forbidden(room, "ada@work.example") == "hard_bounce"
    assert forbidden(room, "ada@example.com") == "unsubscribed"


def test_an_opt_out_behind_a_complaint_goes_along_and_outlives_its_lifting() -> None:
    room = make_workspace()
    one, two = make_contact(room), make_contact(room, "ada@work.example")
    suppress(room, "ada@work.example", SuppressionReason.UNSUBSCRIBED)
    suppress(room, "ada@work.example", SuppressionReason.COMPLAINT)
    merge(room, one, two)
    assert forbidden(room, "ada@example.com") == "complaint"
    services.unsuppress_address(
        workspace=room, email="ada@example.com", actor=make_actor(), now=NOW, lift=Lift(is_confirmed=True)
    )
    assert forbidden(room, "ada@example.com") == "unsubscribed"


def by_name(room: Workspace, email: str) -> None:
    suppress(room, email)


def many_at_once(room: Workspace, email: str) -> None:
    entries = [NewSuppression(email, SuppressionReason.COMPLAINT), NewSuppression("b@x.org", SuppressionReason.MANUAL)]
    news = services.suppress_addresses(
        workspace=room,
        entries=entries,
        scope=SuppressionScope.WORKSPACE,
        source="page",
        actor=make_actor(),
        now=NOW,
    )
    assert news == 2  # addresses that somebody named, and not those that follow from them


def by_a_file_of_suppressions(room: Workspace, email: str) -> None:
    started = services.start_suppression_file(
        workspace=room,
        upload=Upload(io.BytesIO(f"{email}\nb@x.org\n".encode()), "stop.csv"),
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        actor=make_actor(),
        now=NOW,
    )
    services.run_suppression_file(run_uid=started.uid, clock=lambda: NOW)
    started.refresh_from_db()
    assert (started.processed_rows, started.added_rows, started.known_rows) == (2, 2, 0)


def by_an_import(room: Workspace, email: str) -> None:
    mapping = ImportMapping({"Email": "email", "Suppressed": "suppressed"})
    import_text(room, f"Email,Suppressed\n{email},complaint\n", mapping)


@pytest.mark.parametrize("door", [by_name, many_at_once, by_a_file_of_suppressions, by_an_import])
def test_a_complaint_under_an_address_given_up_holds_for_the_one_kept_by_every_door(
    door: Callable[[Workspace, str], None],
) -> None:
    room = make_workspace()
    merge(room, make_contact(room), make_contact(room, "ada@work.example"))
    suppress(room, "ada@work.example", SuppressionReason.HARD_BOUNCE)
    assert forbidden(room, "ada@example.com") == "no_consent"
    door(room, "ada@work.example")
    assert (forbidden(room, "ada@work.example"), forbidden(room, "ada@example.com")) == ("complaint", "complaint")


def test_what_the_operator_bans_binds_the_kept_address_in_the_organization_that_merged_and_in_no_other() -> None:
    room, stranger = make_workspace(), make_workspace()
    merge(room, make_contact(room), make_contact(room, "ada@work.example"))
    suppress(room, "ada@work.example", SuppressionReason.BANNED, SuppressionScope.PLATFORM)
    assert forbidden(stranger, "ada@work.example") == "banned"
    assert (forbidden(room, "ada@example.com"), forbidden(stranger, "ada@example.com")) == ("banned", "no_consent")


def readdress(room: Workspace, contact: Contact, email: str | None) -> Contact:
    changes = ContactChanges(email=email)
    return services.update_contact(workspace=room, uid=contact.uid, changes=changes, actor=make_actor(), now=NOW)


@pytest.mark.parametrize("scope", list(SuppressionScope))
@pytest.mark.parametrize(
    ("reason", "follows"),
    [
        (SuppressionReason.COMPLAINT, "complaint"),
        (SuppressionReason.UNSUBSCRIBED, "unsubscribed"),
        (SuppressionReason.MANUAL, "manual"),
        (SuppressionReason.BANNED, "banned"),
        (SuppressionReason.HARD_BOUNCE, "no_consent"),
    ],
)
def test_a_new_address_is_mailed_no_more_than_the_old_one_was(
    reason: SuppressionReason, follows: str, scope: SuppressionScope
) -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room)
    suppress(neighbour if scope is SuppressionScope.WORKSPACE else room, "ada@example.com", reason, scope)
    readdress(room, ada, "ada@work.example")
    assert forbidden(room, "ada@work.example") == ("no_consent" if scope is SuppressionScope.WORKSPACE else follows)
    assert forbidden(neighbour, "ada@work.example") == follows
    assert forbidden(make_workspace(), "ada@work.example") == "no_consent"


def test_an_opt_out_behind_a_dead_mailbox_goes_along_to_the_new_address() -> None:
    room = make_workspace()
    ada = make_contact(room)
    suppress(room, "ada@example.com", SuppressionReason.UNSUBSCRIBED)
    suppress(room, "ada@example.com", SuppressionReason.HARD_BOUNCE)
    readdress(room, ada, "ada@work.example")
    assert forbidden(room, "ada@work.example") == "unsubscribed"


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(SuppressionScope.WORKSPACE, "opted_out"), (SuppressionScope.ORGANIZATION, "opted_out_everywhere")],
)
def test_nobody_loses_their_no_by_having_no_address_for_a_while(scope: SuppressionScope, reason: str) -> None:
    room = make_workspace()
    ada = make_contact(room)
    suppress(room, "ada@example.com", SuppressionReason.COMPLAINT, scope)
    gone = readdress(room, ada, None)
    assert gone.is_globally_opted_out is (scope is SuppressionScope.ORGANIZATION)
    readdress(room, ada, "ada@work.example")
    assert forbidden(room, "ada@work.example") == reason


@pytest.mark.parametrize("is_bulk", [False, True])
def test_a_withdrawn_topic_outlives_the_person(is_bulk: bool) -> None:
    room = make_workspace()
    tips = services.create_category(workspace=room, name="Tips", slug="tips", actor=make_actor(), now=NOW)
    ada, bob = make_contact(room), make_contact(room, "bob@example.com")
    leave(room, ada, OptOutScope(category_id=tips.pk))
    services.set_consent(
        workspace=room,
        contact_id=bob.pk,
        category_id=tips.pk,
        state=ConsentState.GRANTED,
        source="form",
        actor=make_actor(),
        now=NOW,
    )
    delete(room, ada, bob, is_bulk=is_bulk)
    text = "Email,Topics\nada@example.com,tips=granted\nbob@example.com,tips=granted\n"
    import_text(room, text, ImportMapping({"Email": "email", "Topics": "consents"}))
    assert forbidden(room, "ada@example.com", category_id=tips.pk) == "unsubscribed"
    assert forbidden(room, "ada@example.com", message_class="outreach") == "unsubscribed"
    assert forbidden(room, "bob@example.com", category_id=tips.pk) == ""


def delete(room: Workspace, *people: Contact, is_bulk: bool) -> None:
    if not is_bulk:
        for one in people:
            services.delete_contact(workspace=room, uid=one.uid, actor=make_actor(), now=NOW)
        return
    chosen = Selection(uids=tuple(str(one.uid) for one in people))
    action = BulkAction(BulkKind.DELETE, {"count": len(people)})
    started = services.start_bulk(workspace=room, selection=chosen, action=action, actor=make_actor(), now=NOW)
    services.run_bulk(run_uid=started.uid, clock=lambda: NOW)
