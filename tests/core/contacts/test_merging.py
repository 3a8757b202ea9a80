"""Two records of one person become one, and nothing of either is lost."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from postroom.core.contacts import rules, selectors, services
from postroom.core.contacts.errors import BadMerge, ContactExists, NoSuchContact
from postroom.core.contacts.models import (
    AccountContact,
    Consent,
    ConsentChange,
    Contact,
    ContactAlias,
    ContactTag,
    ContactWorkspace,
    Interaction,
    ListMember,
    PrivacyRequest,
    Suppression,
)
from postroom.core.contacts.selectors import merging
from postroom.core.contacts.types import (
    AccountDetails,
    ConsentState,
    ContactChanges,
    Fence,
    FieldType,
    MemberStatus,
    NewContact,
    NewField,
    NewInteraction,
    OptOutScope,
    Side,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.events import selectors as events
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from tests.core.contacts.people import make_list, set_member
from tests.factories import NOW, make_actor, make_user, make_workspace

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def make(
    room: Workspace, email: str | None, *, tags: tuple[str, ...] = (), custom: Any = None, **lines: str
) -> Contact:
    new = NewContact(**{"email": email, "first_name": "Ada", "tags": tags, "custom": custom or {}, **lines})  # type: ignore[arg-type]
    return services.create_contact(workspace=room, new=new, actor=SYSTEM, now=NOW)


def merge(room: Workspace, survivor: Contact, other: Contact, choices: Mapping[str, Side] | None = None) -> Contact:
    return services.merge_contacts(
        workspace=room,
        survivor_uid=survivor.uid,
        other_uid=other.uid,
        choices=choices or {},
        actor=make_actor(),
        now=LATER,
    )


def opt_out(room: Workspace, contact: Contact, scope: OptOutScope) -> None:
    services.opt_out(workspace=room, contact_id=contact.pk, scope=scope, source="link", actor=SYSTEM, now=NOW)


def say(room: Workspace, contact: Contact, category_id: int, state: ConsentState) -> None:
    services.set_consent(
        workspace=room,
        contact_id=contact.pk,
        category_id=category_id,
        state=state,
        source="form",
        actor=SYSTEM,
        now=NOW,
    )


def suppress(room: Workspace, email: str, reason: SuppressionReason) -> None:
    services.suppress_address(
        workspace=room,
        email=email,
        scope=SuppressionScope.WORKSPACE,
        reason=reason,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )


def make_full_life(room: Workspace, email: str, number: int) -> Contact:
    """Return a person with something in every table, half of it the same for everybody made here."""
    person = make(room, email, tags=("both", f"only {number}"), company="Engines")
    lists = {name: List.pk for name, List in _lists(room).items()}
    for name in ("News", f"List {number}"):
        services.set_list_member(
            workspace=room,
            list_id=lists[name],
            contact_id=person.pk,
            status=MemberStatus.SUBSCRIBED,
            source="test",
            actor=SYSTEM,
            now=NOW,
        )
    for slug in ("product", f"topic{number}"):
        say(room, person, _category(room, slug), ConsentState.GRANTED)
    for name in ("Shared Ltd", f"Own {number} Ltd"):
        account = _account(room, name)
        services.link_account(
            workspace=room, uid=account, contact_uid=person.uid, role=f"role {number}", actor=SYSTEM, now=NOW
        )
    note = NewInteraction(body=f"note {number}")
    services.add_interaction(workspace=room, contact_uid=person.uid, new=note, actor=SYSTEM, now=NOW)
    PrivacyRequest.objects.create(
        workspace=room,
        contact=person,
        kind="export",
        token_hash=uuid4().bytes,
        door="edge",
        created_at=NOW,
        expires_at=NOW,
    )
    return person


def _lists(room: Workspace) -> dict[str, Any]:
    known = {one.name: one for one in selectors.list_lists(workspace=room)}
    for name in ("News", "List 1", "List 2"):
        if name not in known:
            known[name] = make_list(room, name=name)
    return known


def _category(room: Workspace, slug: str) -> int:
    known = {one.slug: one.pk for one in selectors.list_categories(workspace=room)}
    if slug not in known:
        made = services.create_category(workspace=room, name=slug, slug=slug, actor=SYSTEM, now=NOW)
        known[slug] = made.pk
    return known[slug]


def _account(room: Workspace, name: str) -> Any:
    from postroom.core.contacts.models import Account

    found = Account.objects.filter(workspace=room, name=name).first()
    details = AccountDetails(name=name)
    return (found or services.create_account(workspace=room, details=details, actor=SYSTEM, now=NOW)).uid


def holdings(*contact_ids: int) -> dict[str, set[Any]]:
    """Return what these people have between them, by what it is about and not by which row holds it."""

    def of(model: Any, *names: str) -> set[Any]:
        return set(model.objects.filter(contact_id__in=contact_ids).values_list(*names))

    return {
        "tags": of(ContactTag, "tag_id"),
        "lists": of(ListMember, "list_id", "status"),
        "consents": of(Consent, "category_id", "state"),
        "accounts": of(AccountContact, "account_id"),
        "rooms": of(ContactWorkspace, "workspace_id"),
        "interactions": of(Interaction, "pk"),
        "privacy": of(PrivacyRequest, "pk"),
        "proofs": of(ConsentChange, "pk"),
        "events": set(DomainEvent.objects.filter(contact_id__in=contact_ids).values_list("pk")),
    }


def test_everything_either_had_is_there_after() -> None:
    room = make_workspace()
    one, two = make_full_life(room, "ada@example.com", 1), make_full_life(room, "ada@work.example", 2)
    old_id = two.pk
    before = holdings(one.pk, two.pk)
    merge(room, one, two)
    after = holdings(one.pk)
    added = {name: after[name] - before[name] for name in after}
    assert {name: len(news) for name, news in added.items() if news} == {"events": 1}
    assert all(before[name] <= after[name] for name in before)
    assert [len(after[name]) for name in ("tags", "lists", "consents", "accounts")] == [3, 3, 3, 3]
    assert not any(holdings(old_id).values())
    assert not Contact.objects.filter(pk=old_id).exists()
    alias = ContactAlias.objects.get()
    assert (alias.old_id, alias.old_uid, alias.email) == (old_id, two.uid, "ada@work.example")
    assert alias.snapshot["email"] == "ada@work.example"
    assert len(alias.snapshot["tags"]) == 2
    assert AuditEntry.objects.get(act="contact.merged").before == alias.snapshot
    assert events.list_contact_events(workspace=room, contact_id=one.pk, limit=1)[0].data == {"old_id": old_id}


def test_no_table_that_refers_to_a_person_is_forgotten() -> None:
    """Whoever adds a table with a person in it says here how it follows a merge."""
    relations = [one for one in Contact._meta.get_fields(include_hidden=True) if one.auto_created and one.is_relation]
    tables = {relation.related_model._meta.label for relation in relations}  # type: ignore[union-attr]
    assert tables == {
        "contacts.AccountContact",
        "contacts.Consent",
        "contacts.ConsentChange",
        "contacts.ContactAlias",
        "contacts.ContactTag",
        "contacts.ContactWorkspace",
        "contacts.Interaction",
        "contacts.ListMember",
        "contacts.PrivacyRequest",
        "mail.Message",  # by mail.services.move_mail
    }


def test_values_are_filled_in_and_chosen_field_by_field() -> None:
    room = make_workspace()
    services.create_field(workspace=room, new=NewField(label="Age", type=FieldType.NUMBER), actor=make_actor(), now=NOW)
    one = make(room, "ada@example.com", last_name="King", custom={"age": 36, "left": "x"})
    two = make(room, "ada@work.example", last_name="Lovelace", phone="+44 20 1", custom={"age": 37, "right": True})
    preview = selectors.preview_merge(workspace=room, survivor_uid=one.uid, other_uid=two.uid)
    assert {(field.key, field.wins) for field in preview.fields if field.is_choice} == {
        ("email", "survivor"),
        ("last_name", "survivor"),
        ("custom.age", "survivor"),
    }
    merged = merge(room, one, two, {"last_name": "other", "email": "other", "custom.age": "other"})
    merged.refresh_from_db()
    assert (merged.email, merged.last_name, merged.phone) == ("ada@work.example", "Lovelace", "+44 20 1")
    assert merged.custom == {"age": 37, "left": "x", "right": True}
    assert merged.address_hash is not None
    assert bytes(merged.address_hash) == crypto.address_hash("ada@work.example")
    assert ContactAlias.objects.get().email == "ada@example.com"
    assert [found.pk for found in selectors.select_people(workspace=room, selection=_typed("lovelace 37"))] == []
    assert [found.pk for found in selectors.select_people(workspace=room, selection=_typed("lovelace"))] == [one.pk]


def _typed(text: str) -> Any:
    from postroom.core.contacts.types import Selection

    return Selection(search=text)


@pytest.mark.parametrize(
    "choices", [{"custom.nothing": "other"}, {"phone": "other"}, {"id": "other"}, {"custom.left": "other"}]
)
def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(choices: dict[str, Side]) -> None:
    room = make_workspace()
    one = make(room, "ada@example.com", phone="+44 20 1", custom={"left": "x"})
    two = make(room, "ada@work.example")
    with pytest.raises(BadMerge):
        merge(room, one, two, choices)
    assert Contact.objects.count() == 2
    assert not ContactAlias.objects.exists()


def test_nobody_is_merged_with_themself_or_a_stranger() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    one, stranger = make(room, "ada@example.com"), make(elsewhere, "bob@example.com")
    with pytest.raises(BadMerge):
        merge(room, one, one)
    for pair in ((one, stranger), (stranger, one)):
        with pytest.raises(NoSuchContact):
            merge(room, *pair)
        with pytest.raises(NoSuchContact):
            selectors.preview_merge(workspace=room, survivor_uid=pair[0].uid, other_uid=pair[1].uid)
    neighbour = make_workspace(organization=room.organization)
    hidden = make(neighbour, "carol@example.com")
    with pytest.raises(NoSuchContact):
        merge(room, one, hidden)
    assert Contact.objects.count() == 3


STATES = ["", MemberStatus.PENDING, MemberStatus.SUBSCRIBED, MemberStatus.UNSUBSCRIBED]


@pytest.mark.parametrize("other", STATES)
@pytest.mark.parametrize("mine", STATES)
@pytest.mark.parametrize("email", ["survivor", "other"])
def test_the_stricter_place_on_a_list_holds_and_the_preview_says_so(mine: str, other: str, email: Side) -> None:
    room = make_workspace()
    one, two, news = make(room, "ada@example.com"), make(room, "ada@work.example"), make_list(room)
    for person, state in ((one, mine), (two, other)):
        if state:
            set_member(room, news, person, MemberStatus(state))
    choices: dict[str, Side] = {"email": email}
    preview = selectors.preview_merge(workspace=room, survivor_uid=one.uid, other_uid=two.uid, choices=choices)
    merge(room, one, two, choices)
    after = list(ListMember.objects.filter(contact=one).values_list("status", flat=True))
    assert after == [state.result for state in preview.memberships]
    if MemberStatus.UNSUBSCRIBED in (mine, other):
        assert after == [MemberStatus.UNSUBSCRIBED]
    elif mine and other:
        assert after == [mine if email == "survivor" else other]
    else:
        assert after == [state for state in (mine, other) if state]


def test_a_no_is_a_no_whichever_record_it_stood_on_and_there_is_proof() -> None:
    room = make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    topics = [_category(room, slug) for slug in ("a", "b", "c")]
    for person, states in ((one, "gw-"), (two, "wgg")):
        for topic, state in zip(topics, states, strict=True):
            if state != "-":
                say(room, person, topic, ConsentState.GRANTED if state == "g" else ConsentState.WITHDRAWN)
    preview = selectors.preview_merge(workspace=room, survivor_uid=one.uid, other_uid=two.uid)
    merge(room, one, two)
    after = list(Consent.objects.filter(contact=one).order_by("category_id").values_list("state", flat=True))
    assert after == ["withdrawn", "withdrawn", "granted"]
    assert [state.result for state in preview.consents] == after
    proof = ConsentChange.objects.get(contact=one, source="two records merged")
    assert (proof.category_id, proof.state, proof.at) == (topics[0], "withdrawn", LATER)


def test_leaving_the_workspace_or_everything_holds_in_every_room() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    make(neighbour, "ada@work.example")
    opt_out(room, two, OptOutScope())
    opt_out(neighbour, two, OptOutScope())
    opt_out(room, two, OptOutScope(is_everything=True))
    preview = selectors.preview_merge(workspace=room, survivor_uid=one.uid, other_uid=two.uid)
    assert (preview.other_rooms, preview.is_opted_out, preview.status.result) == (1, True, "unsubscribed")
    merged = merge(room, one, two)
    links = ContactWorkspace.objects.filter(contact=merged)
    assert set(links.values_list("workspace_id", "status")) == {
        (room.pk, "unsubscribed"),
        (neighbour.pk, "unsubscribed"),
    }
    merged.refresh_from_db()
    assert (merged.is_globally_opted_out, merged.globally_opted_out_at) == (True, NOW)


@pytest.mark.parametrize("reason", [one for one in SuppressionReason if one is not SuppressionReason.ERASED])
def test_a_suppression_stays_with_its_address_and_the_persons_own_will_goes_along(reason: SuppressionReason) -> None:
    room = make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    suppress(room, "ada@work.example", reason)
    merge(room, one, two)
    states = selectors.load_address_states(
        workspace=room, addresses=["ada@example.com", "ada@work.example"], fence=Fence()
    )
    assert states["ada@work.example"].suppression is reason
    is_only_the_mailbox = reason is SuppressionReason.HARD_BOUNCE
    assert states["ada@example.com"].suppression is (None if is_only_the_mailbox else reason)
    assert Suppression.objects.count() == (1 if is_only_the_mailbox else 2)


@pytest.mark.parametrize("reason", [SuppressionReason.COMPLAINT, SuppressionReason.HARD_BOUNCE])
def test_what_is_said_later_under_the_address_given_up_is_said_by_the_person(reason: SuppressionReason) -> None:
    room = make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    merge(room, one, two)
    suppress(room, "ada@work.example", reason)
    state = selectors.load_mail_states(workspace=room, contact_ids=[one.pk], fence=Fence())[one.pk]
    assert state.suppression is (reason if reason is SuppressionReason.COMPLAINT else None)
    told = events.list_contact_events(workspace=room, contact_id=one.pk, limit=9, names=["contact.suppressed"])
    assert [fact.data for fact in told] == [{"reason": reason}]


def test_an_opt_out_outlives_the_person_under_every_address_they_had() -> None:
    room = make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    merged = merge(room, one, two)
    opt_out(room, merged, OptOutScope(is_everything=True))
    services.delete_contact(workspace=room, uid=merged.uid, actor=SYSTEM, now=LATER)
    assert not ContactAlias.objects.exists()
    addresses = ["ada@example.com", "ada@work.example"]
    states = selectors.load_address_states(workspace=room, addresses=addresses, fence=Fence())
    assert {states[address].suppression for address in addresses} == {SuppressionReason.UNSUBSCRIBED}


def test_old_names_lead_to_the_survivor_through_several_merges() -> None:
    room = make_workspace()
    one, two, three = (make(room, f"ada{number}@example.com") for number in range(3))
    first, second = (three.pk, three.uid), (two.pk, two.uid)
    merge(room, two, three)
    merge(room, one, two)
    for old_id, old_uid in (first, second):
        assert selectors.get_contact(workspace=room, uid=old_uid).pk == one.pk
        services.tag_contact(workspace=room, uid=old_uid, tag_name=f"t{old_id}", actor=SYSTEM, now=LATER)
        assert services.opt_out(
            workspace=room,
            contact_id=old_id,
            scope=OptOutScope(is_everything=old_id == first[0]),
            source="old link",
            actor=SYSTEM,
            now=LATER,
        )
    assert selectors.list_person_ids(contact=one) == [one.pk, first[0], second[0]]
    one.refresh_from_db()
    assert one.is_globally_opted_out
    assert ContactWorkspace.objects.get(contact=one).status == "unsubscribed"


def test_the_old_uid_of_a_stranger_leads_nowhere() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    merge(room, one, two)
    with pytest.raises(NoSuchContact):
        selectors.get_contact(workspace=elsewhere, uid=two.uid)
    with pytest.raises(NoSuchContact):
        services.delete_contact(workspace=room, uid=two.uid, actor=SYSTEM, now=LATER)


def test_an_address_given_up_still_means_the_person() -> None:
    room = make_workspace()
    one, two, bob = make(room, "ada@example.com"), make(room, "ada@work.example"), make(room, "bob@example.com")
    merge(room, one, two)
    opt_out(room, one, OptOutScope(is_everything=True))
    state = selectors.load_address_states(workspace=room, addresses=["ada@work.example"], fence=Fence())
    assert (state["ada@work.example"].contact_id, state["ada@work.example"].is_globally_opted_out) == (one.pk, True)
    with pytest.raises(ContactExists) as refused:
        make(room, "ADA@work.example")
    assert refused.value.facts["uid"] == one.uid
    neighbour = make_workspace(organization=room.organization)
    assert make(neighbour, "ada@work.example").pk == one.pk
    with pytest.raises(ContactExists):
        services.update_contact(
            workspace=room, uid=bob.uid, changes=ContactChanges(email="ada@work.example"), actor=SYSTEM, now=LATER
        )
    back = services.update_contact(
        workspace=room, uid=one.uid, changes=ContactChanges(email="ada@work.example"), actor=SYSTEM, now=LATER
    )
    assert back.email == "ada@work.example"


def test_who_is_merged_away_cannot_be_merged_again() -> None:
    room = make_workspace()
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    merge(room, one, two)
    for pair in ((one, two), (two, one)):
        with pytest.raises(NoSuchContact):
            merge(room, *pair)
        with pytest.raises((NoSuchContact, BadMerge)):
            selectors.preview_merge(workspace=room, survivor_uid=pair[0].uid, other_uid=pair[1].uid)
    assert ContactAlias.objects.count() == 1


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"email": "ada.lovelace@work.example", "first_name": "A"}, "the same name before the @"),
        ({"email": "al@work.example", "first_name": "LOVELACE", "last_name": "Ada"}, "the same name"),
        ({"email": "al@work.example", "first_name": "Àda", "last_name": "Lovelace"}, "the same name"),
        ({"email": "adalovelace+news@work.example", "first_name": "A"}, "the same name before the @"),
    ],
)
def test_a_double_is_suggested_with_the_reason(lines: dict[str, str], reason: str) -> None:
    room = make_workspace()
    ada = make(room, "ada.lovelace@example.com", last_name="Lovelace")
    double = make(room, **lines)  # type: ignore[arg-type]
    make(room, "ada@example.com", last_name="Byron")
    make(make_workspace(organization=room.organization), "ada.lovelace@other.example", last_name="Lovelace")
    found = selectors.find_duplicates(workspace=room, uid=ada.uid)
    assert [one.contact.pk for one in found] == [double.pk]
    assert reason in found[0].resemblance.reasons


def test_offices_and_bare_first_names_make_no_double() -> None:
    room = make_workspace()
    one = make(room, "info@example.com")
    make(room, "info@work.example")
    assert selectors.find_duplicates(workspace=room, uid=one.uid) == []


def test_doubles_are_looked_for_by_the_index_of_words() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {merging._CANDIDATES}", [rules.search_query("ada"), 1, 10])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "contact_search" in plan


def test_a_merge_tells_who_did_it() -> None:
    room = make_workspace()
    user = make_user(workspace=room)
    one, two = make(room, "ada@example.com"), make(room, "ada@work.example")
    services.merge_contacts(
        workspace=room, survivor_uid=one.uid, other_uid=two.uid, choices={}, actor=make_actor(user), now=LATER
    )
    assert ContactAlias.objects.get().merged_by_id == user.pk
    assert AuditEntry.objects.get(act="contact.merged").user_id == user.pk
