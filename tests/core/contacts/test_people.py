"""People are stored once in an organization and seen only where they are linked."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import (
    BadAddress,
    BadContact,
    BadField,
    BadValue,
    ContactExists,
    NameTaken,
    NoSuchCategory,
    NoSuchContact,
    NoSuchList,
)
from postroom.core.contacts.models import ConsentChange, Contact, ContactWorkspace, ListMember, Suppression
from postroom.core.contacts.types import (
    ConsentState,
    ContactChanges,
    FieldType,
    MemberStatus,
    NewContact,
    NewField,
    OptOutScope,
)
from postroom.core.events import selectors as events
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.kit.paging import PageRequest
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

PAGE = PageRequest(with_total=True)


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def update(room: Workspace, contact: Contact, changes: ContactChanges) -> Contact:
    return services.update_contact(workspace=room, uid=contact.uid, changes=changes, actor=make_actor(), now=NOW)


def opt_out(room: Workspace, contact: Contact, scope: OptOutScope) -> bool:
    return services.opt_out(
        workspace=room, contact_id=contact.pk, scope=scope, source="link", actor=make_actor(), now=NOW
    )


def test_a_person_is_stored_clean_audited_and_told() -> None:
    room = make_workspace()
    make_fields(room)
    new = NewContact(
        email=" ADA@Example.com ", first_name="\u202eAda", custom={"age": "36", "vip": "yes"}, tags=("Lead", "lead")
    )
    ada = services.create_contact(workspace=room, new=new, actor=make_actor(), now=NOW)
    found = selectors.get_contact(workspace=room, uid=ada.uid)
    assert (found.email, found.first_name, found.custom) == ("ada@example.com", "Ada", {"age": 36, "vip": True})
    assert [tag.name for tag in selectors.list_tags(workspace=room)] == ["Lead"]
    assert acts()[-1] == "contact.created"
    facts = events.list_contact_events(workspace=room, contact_id=ada.pk, limit=5)
    assert [fact.name for fact in facts] == ["contact.created"]


def test_the_same_address_twice_is_refused_with_the_first_ones_id() -> None:
    room = make_workspace()
    ada = make_contact(room)
    with pytest.raises(ContactExists) as refused:
        make_contact(room, "Ada@EXAMPLE.com")
    assert refused.value.facts["uid"] == ada.uid


def test_a_person_the_organization_knows_is_linked_and_not_doubled() -> None:
    room = make_workspace()
    neighbour, stranger = make_workspace(organization=room.organization), make_workspace()
    ada = make_contact(room)
    assert make_contact(neighbour).pk == ada.pk
    assert make_contact(stranger).pk != ada.pk
    assert Contact.objects.count() == 2


def test_somebody_without_address_and_name_is_refused() -> None:
    room = make_workspace()
    with pytest.raises(BadContact):
        services.create_contact(workspace=room, new=NewContact(company="ACME"), actor=make_actor(), now=NOW)
    with pytest.raises(BadAddress):
        make_contact(room, "nobody")
    nameless = make_contact(room, None)
    with pytest.raises(BadContact):
        update(room, nameless, ContactChanges(first_name=""))
    assert Contact.objects.count() == 1


def test_an_update_changes_what_it_mentions_and_merges_custom_values() -> None:
    room = make_workspace()
    make_fields(room)
    ada = make_contact(room, age=36, motto="onwards")
    changed = update(room, ada, ContactChanges(last_name="King", custom={"age": "", "vip": True}))
    assert (changed.first_name, changed.last_name, changed.custom) == ("Ada", "King", {"motto": "onwards", "vip": True})
    entry = AuditEntry.objects.get(act="contact.updated")
    assert entry.after == {"last_name": "King", "custom": {"motto": "onwards", "vip": True}}
    update(room, ada, ContactChanges(last_name="King"))
    assert AuditEntry.objects.filter(act="contact.updated").count() == 1
    with pytest.raises(BadValue, match="Age"):
        update(room, ada, ContactChanges(custom={"age": "old"}))


def test_an_update_cannot_take_anothers_address() -> None:
    room = make_workspace()
    make_contact(room)
    bob = make_contact(room, "bob@example.com")
    with pytest.raises(ContactExists):
        update(room, bob, ContactChanges(email="ADA@example.com"))
    bob.refresh_from_db()
    assert bob.email == "bob@example.com"


def test_deletion_takes_the_link_and_the_record_dies_with_its_last_one() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room, tags=("lead",))
    make_contact(neighbour)
    for workspace, left in ((room, 1), (neighbour, 0)):
        services.delete_contact(workspace=workspace, uid=ada.uid, actor=make_actor(), now=NOW)
        assert Contact.objects.count() == left
        with pytest.raises(NoSuchContact):
            selectors.get_contact(workspace=workspace, uid=ada.uid)


def test_tags_are_one_whatever_their_case() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    for name in ("Lead", " lead ", "LEAD"):
        services.tag_contact(workspace=room, uid=ada.uid, tag_name=name, actor=actor, now=NOW)
    assert acts().count("contact.tagged") == 1
    services.untag_contact(workspace=room, uid=ada.uid, tag_name="lEAD", actor=actor, now=NOW)
    assert selectors.list_contacts(workspace=room, tag="lead", page=PAGE).total == 0
    with pytest.raises(BadValue):
        services.tag_contact(workspace=room, uid=ada.uid, tag_name=" ", actor=actor, now=NOW)


def test_strangers_reach_nobody() -> None:
    room, stranger, actor = make_workspace(), make_workspace(), make_actor()
    ada, list_ = make_contact(room), make_list(make_workspace())
    category = services.create_category(workspace=room, name="N", slug="n", actor=actor, now=NOW)
    ours = make_list(stranger)
    common = {"actor": actor, "now": NOW}
    with pytest.raises(NoSuchContact):
        update(stranger, ada, ContactChanges(first_name="Eve"))
    with pytest.raises(NoSuchContact):
        services.delete_contact(workspace=stranger, uid=ada.uid, **common)
    with pytest.raises(NoSuchContact):
        services.tag_contact(workspace=stranger, uid=ada.uid, tag_name="x", **common)
    with pytest.raises(NoSuchContact):
        opt_out(stranger, ada, OptOutScope())
    with pytest.raises(NoSuchContact):
        set_member(stranger, ours, ada, MemberStatus.SUBSCRIBED)
    with pytest.raises(NoSuchList):
        set_member(room, list_, ada, MemberStatus.SUBSCRIBED)
    with pytest.raises(NoSuchList):
        opt_out(room, ada, OptOutScope(list_ids=(list_.pk,)))
    with pytest.raises(NoSuchCategory):
        opt_out(stranger, make_contact(stranger), OptOutScope(category_id=category.pk))
    with pytest.raises(NoSuchCategory):
        services.set_consent(
            workspace=stranger,
            contact_id=ada.pk,
            category_id=category.pk,
            state=ConsentState.GRANTED,
            source="",
            **common,
        )
    assert selectors.list_contacts(workspace=make_workspace(), page=PAGE).items == ()


def test_opting_out_does_what_it_names_once_and_keeps_the_proof() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    news, other = make_list(room, ada, name="News"), make_list(room, ada, name="Other")
    category = services.create_category(workspace=room, name="N", slug="n", actor=actor, now=NOW)
    scope = OptOutScope(list_ids=(news.pk,), category_id=category.pk)
    assert [opt_out(room, ada, scope), opt_out(room, ada, scope)] == [True, False]
    statuses = dict(ListMember.objects.values_list("list_id", "status"))
    assert statuses == {news.pk: "unsubscribed", other.pk: "subscribed"}
    assert ContactWorkspace.objects.get().status == "neutral"
    said = list(ConsentChange.objects.filter(source="link").values_list("state", "door"))
    assert said == [("unsubscribed", "web"), ("withdrawn", "web")]
    names = [fact.name for fact in events.list_contact_events(workspace=room, contact_id=ada.pk, limit=50)]
    assert names.count("contact.opted_out") == 1


def test_opting_out_of_nothing_named_leaves_the_workspace() -> None:
    room = make_workspace()
    ada = make_contact(room)
    assert [opt_out(room, ada, OptOutScope()), opt_out(room, ada, OptOutScope())] == [True, False]
    assert ContactWorkspace.objects.get().status == "unsubscribed"


def test_a_global_opt_out_becomes_a_suppression_only_when_the_record_dies() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room)
    make_contact(neighbour)
    opt_out(room, ada, OptOutScope(is_everything=True))
    services.delete_contact(workspace=neighbour, uid=ada.uid, actor=make_actor(), now=NOW)
    assert not Suppression.objects.exists(), "it would outlive a change of mind"
    services.delete_contact(workspace=room, uid=ada.uid, actor=make_actor(), now=NOW)
    assert Suppression.objects.get().scope == "organization"


def test_fields_are_typed_named_once_and_shadow_nothing() -> None:
    room, actor = make_workspace(), make_actor()
    field = services.create_field(workspace=room, new=NewField(label="Lifetime value"), actor=actor, now=NOW)
    assert field.key == "lifetime_value"
    with pytest.raises(NameTaken):
        services.create_field(workspace=room, new=NewField(label="X", key="lifetime_value"), actor=actor, now=NOW)
    for key in ("email", "tag", "1st", "a b", "a" * 81):
        with pytest.raises(BadField):
            services.create_field(workspace=room, new=NewField(label="X", key=key), actor=actor, now=NOW)
    new = NewField(label="N", type=FieldType.NUMBER, options=("a",))
    with pytest.raises(BadField):
        services.create_field(workspace=room, new=new, actor=actor, now=NOW)
    assert selectors.list_fields(workspace=make_workspace()) == []


def test_a_page_of_contacts_costs_the_same_however_long() -> None:
    room = make_workspace()
    people = [make_contact(room, f"p{number}@example.com", tags=("a", "b")) for number in range(5)]
    for size in (1, 5):
        with CaptureQueriesContext(connection) as seen:
            page = selectors.list_contacts(workspace=room, page=PageRequest(size=size, with_total=True))
            marks = [
                (link.status, tag.tag.name)
                for one in page.items
                for link in one.links.all()
                for tag in one.tag_links.all()
            ]
        assert len(seen) == 5
        assert len(marks) == size * 2
        assert page.total == 5
        assert page.has_next == (size == 1)
    assert [one.pk for one in page.items] == [one.pk for one in reversed(people)]


def test_people_are_found_by_every_word_and_by_tag_and_list() -> None:
    room = make_workspace()
    ada = make_contact(room, tags=("Lead",))
    bob = make_contact(room, "bob%x@example.com")
    update(room, bob, ContactChanges(last_name="Ada-Lovelace"))
    list_ = make_list(room, bob)

    def found(**question: object) -> list[int]:
        page = selectors.list_contacts(workspace=room, page=PAGE, **question)  # type: ignore[arg-type]
        return [one.pk for one in page.items]

    assert found(search="ADA") == [bob.pk, ada.pk]
    assert found(search="ada lovelace") == [bob.pk]
    assert found(search="%x") == [bob.pk]
    assert found(search="nobody\0") == []
    assert found(tag="lead") == [ada.pk]
    assert found(tag="nobody\0") == []
    assert found(list_id=list_.pk) == [bob.pk]
    assert found(list_id=make_list(make_workspace()).pk) == []


def test_a_card_shows_everything_of_this_workspace_only() -> None:
    room = make_workspace()
    make_fields(room)
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room, tags=("here",), age=36)
    make_list(neighbour, make_contact(neighbour, tags=("there",)), name="Theirs")
    make_list(room, ada, name="Ours")
    card = selectors.describe_contact(workspace=room, uid=ada.uid)
    assert [tag.name for tag in card.tags] == ["here"]
    assert [member.list.name for member in card.memberships] == ["Ours"]
    assert {one.field.key: one.value for one in card.custom}["age"] == 36
    assert card.status == "neutral"


def test_profiles_let_no_custom_value_shadow_a_core_one() -> None:
    room = make_workspace()
    ada = make_contact(room, email_address="x", first_name="Eve", city="Ulm")
    profile = selectors.load_profiles(contact_ids=[ada.pk])[ada.pk]
    assert profile["first_name"] == "Ada"
    assert profile["city"] == "Ulm"
    assert profile["custom"] == {"email_address": "x", "first_name": "Eve", "city": "Ulm"}
