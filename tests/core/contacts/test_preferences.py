"""The preference centre: what it says is what is stored, and what a person chose is all that is stored."""

from collections.abc import Iterable

import pytest

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Category, Consent, ConsentChange, Contact, List, ListMember, Suppression
from postroom.core.contacts.rules import may_we_mail
from postroom.core.contacts.types import (
    Choices,
    ConsentState,
    Fence,
    ListTerms,
    MemberStatus,
    PreferenceCard,
    Reach,
    ReaderLink,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.paging import PageRequest
from tests.core.contacts.people import make_contact, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

PROOF = {"ip": "192.0.2.0", "agent": "Browser"}


def publish(list_: List, *, is_double_opt_in: bool = False) -> List:
    terms = ListTerms(list_.name, is_public=True, is_double_opt_in=is_double_opt_in)
    return services.update_list(workspace=list_.workspace, list_id=list_.pk, terms=terms, actor=SYSTEM, now=NOW)


def make_category(room: Workspace, name: str) -> Category:
    return services.create_category(workspace=room, name=name, slug=name.lower(), actor=SYSTEM, now=NOW)


def link_of(room: Workspace, contact: Contact) -> ReaderLink:
    return ReaderLink(room.pk, contact.pk)


def save(
    room: Workspace,
    contact: Contact,
    lists: Iterable[List] = (),
    categories: Iterable[Category] = (),
    reach: Reach = Reach.CHOSEN,
) -> PreferenceCard:
    chosen = Choices(reach, frozenset(one.uid for one in lists), frozenset(one.uid for one in categories))
    return services.save_preferences(link=link_of(room, contact), choices=chosen, proof=PROOF, now=NOW)


def may_mail(room: Workspace, contact: Contact, list_: List | None = None) -> bool:
    fence = Fence(list_ids=(list_.pk,) if list_ else ())
    states = selectors.load_mail_states(workspace=room, contact_ids=[contact.pk], fence=fence)
    verdict = may_we_mail(states[contact.pk], message_class="marketing", has_list=list_ is not None, has_category=False)
    return verdict.is_allowed


def test_public_lists_and_those_one_is_on_are_offered_and_no_others() -> None:
    room = make_workspace()
    ada = make_contact(room)
    public, own = publish(make_list(room, name="Public")), make_list(room, ada, name="Own")
    left, hidden = make_list(room, ada, name="Left"), make_list(room, name="Hidden")
    set_member(room, left, ada, MemberStatus.UNSUBSCRIBED)
    card = selectors.describe_preferences(link=link_of(room, ada))
    assert {one.uid: one.is_chosen for one in card.lists} == {public.uid: False, own.uid: True}
    save(room, ada, [public, hidden, left])
    assert set(ListMember.objects.filter(contact=ada, status="subscribed").values_list("list_id", flat=True)) == {
        public.pk
    }


def test_both_ways_in_one_go_with_history_and_proof() -> None:
    room = make_workspace()
    ada = make_contact(room)
    weekly, daily = make_list(room, ada, name="Weekly"), publish(make_list(room, name="Daily"))
    news, offers = make_category(room, "News"), make_category(room, "Offers")
    services.set_consent(
        workspace=room,
        contact_id=ada.pk,
        category_id=offers.pk,
        state=ConsentState.GRANTED,
        source="form",
        actor=SYSTEM,
        now=NOW,
    )
    ConsentChange.objects.all().delete()
    card = save(room, ada, [daily], [news])
    assert {one.name: one.is_chosen for one in card.lists} == {"Daily": True}
    assert {one.name: one.is_chosen for one in card.categories} == {"News": True, "Offers": False}
    changes = ConsentChange.objects.order_by("state", "pk")
    assert [(one.state, one.list_id or one.category_id) for one in changes] == [
        ("granted", news.pk),
        ("subscribed", daily.pk),
        ("unsubscribed", weekly.pk),
        ("withdrawn", offers.pk),
    ]
    assert {(one.source, one.door, one.workspace_id) for one in changes} == {("preference centre", "edge", room.pk)}
    assert all(one.proof == PROOF for one in changes)


def test_a_box_left_unticked_says_nothing() -> None:
    room = make_workspace()
    ada = make_contact(room)
    publish(make_list(room))
    make_category(room, "News")
    save(room, ada)
    assert not Consent.objects.exists()
    assert not ListMember.objects.exists()
    assert not ConsentChange.objects.exists()


def test_the_signed_link_confirms_a_list_with_double_opt_in() -> None:
    room = make_workspace()
    ada = make_contact(room)
    asking = publish(make_list(room), is_double_opt_in=True)
    set_member(room, asking, ada, MemberStatus.SUBSCRIBED)
    card = selectors.describe_preferences(link=link_of(room, ada))
    assert [(one.is_chosen, one.is_waiting) for one in card.lists] == [(False, True)]
    save(room, ada)
    assert ListMember.objects.get().status == MemberStatus.PENDING
    save(room, ada, [asking])
    assert ListMember.objects.get().status == MemberStatus.SUBSCRIBED


@pytest.mark.parametrize("reach", [Reach.NOTHING_HERE, Reach.NOTHING])
def test_nothing_at_all_holds_at_once_and_coming_back_undoes_it(reach: Reach) -> None:
    room = make_workspace()
    ada = make_contact(room)
    weekly = make_list(room, ada)
    assert save(room, ada, [weekly], reach=reach).reach is reach
    assert not may_mail(room, ada, weekly)
    assert save(room, ada, [weekly]).reach is Reach.CHOSEN
    assert may_mail(room, ada, weekly)
    states = list(ConsentChange.objects.exclude(state="subscribed").order_by("pk").values_list("state", flat=True))
    assert states == ["opted_out_all" if reach is Reach.NOTHING else "opted_out", "opted_in"]


def test_coming_back_to_one_workspace_leaves_a_no_to_everything_standing_in_the_others() -> None:
    room = make_workspace()
    neighbour, later = make_workspace(organization=room.organization), make_workspace(organization=room.organization)
    ada = make_contact(room)
    make_contact(neighbour)
    save(room, ada, reach=Reach.NOTHING)
    save(room, ada)
    ada.refresh_from_db()
    assert not ada.is_globally_opted_out
    assert may_mail(room, ada)
    assert not may_mail(neighbour, ada)
    assert not may_mail(later, make_contact(later))
    assert save(later, ada).reach is Reach.CHOSEN
    assert [may_mail(one, ada) for one in (room, neighbour, later)] == [True, False, True]


def test_a_kept_opt_out_is_lifted_by_its_owner_and_nothing_else_is() -> None:
    room = make_workspace()
    ada = make_contact(room)
    save(room, ada, reach=Reach.NOTHING_HERE)
    services.delete_contact(workspace=room, uid=ada.uid, actor=SYSTEM, now=NOW)
    ada = make_contact(room)
    assert selectors.describe_preferences(link=link_of(room, ada)).reach is Reach.NOTHING_HERE
    assert not may_mail(room, ada)
    assert save(room, ada).reach is Reach.CHOSEN
    assert may_mail(room, ada)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("reason", ["complaint", "hard_bounce", "manual", "banned"])
def test_what_others_hold_against_an_address_stays_and_is_said(reason: str) -> None:
    room = make_workspace()
    ada = make_contact(room)
    save(room, ada, reach=Reach.NOTHING_HERE)
    services.suppress_address(
        workspace=room,
        email="ada@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason(reason),
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    card = save(room, ada)
    assert (card.reach, card.held_back) == (Reach.CHOSEN, reason)
    assert not may_mail(room, ada)


def test_a_no_to_the_organization_kept_after_deletion_stays_a_no_in_its_other_workspaces() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room)
    save(room, ada, reach=Reach.NOTHING)
    services.delete_contact(workspace=room, uid=ada.uid, actor=SYSTEM, now=NOW)
    ada = make_contact(room)
    assert selectors.describe_preferences(link=link_of(room, ada)).reach is Reach.NOTHING
    save(room, ada)
    assert may_mail(room, ada)
    assert not may_mail(neighbour, make_contact(neighbour))


def test_links_of_strangers_lead_nowhere() -> None:
    room, stranger = make_workspace(), make_workspace()
    ada = make_contact(room)
    for link in (ReaderLink(stranger.pk, ada.pk), ReaderLink(room.pk, ada.pk + 1), ReaderLink(0, ada.pk)):
        with pytest.raises(NoSuchContact):
            selectors.describe_preferences(link=link)
        with pytest.raises(NoSuchContact):
            services.save_preferences(link=link, choices=Choices(Reach.NOTHING), proof={}, now=NOW)
    assert not ConsentChange.objects.exists()


def test_asking_for_a_link_says_who_is_known_only_to_the_mail() -> None:
    room, actor = make_workspace(), make_actor()
    ada = make_contact(room)
    for email in ("ADA@Example.com", "nobody@example.com", "no address"):
        services.ask_preference_link(workspace=room, email=email, now=NOW)
    assert actor is not None
    asked = DomainEvent.objects.filter(name="preferences.link_wanted").order_by("pk")
    assert [(one.contact_id, one.data) for one in asked] == [(ada.pk, {}), (None, {}), (None, {})]


def test_the_history_says_who_said_what_where_when_and_what_shows_it() -> None:
    room, stranger = make_workspace(), make_workspace()
    neighbour = make_workspace(organization=room.organization)
    ada = make_contact(room)
    make_contact(neighbour)
    weekly, news = make_list(room, ada, name="Weekly"), make_category(room, "News")
    theirs = make_list(neighbour, ada, name="Theirs")
    save(room, ada, [], [news], reach=Reach.NOTHING)
    page = PageRequest(number=1, size=3, with_total=True)
    first = selectors.list_consent_history(workspace=room, contact_id=ada.pk, page=page)
    rest = selectors.list_consent_history(workspace=room, contact_id=ada.pk, page=PageRequest(number=2, size=3))
    assert [one.what for one in (*first.items, *rest.items)] == [
        "Opted out of everything",
        "Left the list Weekly",
        "Said yes to News",
        "Subscribed to the list Weekly",
    ]
    assert {(one.door, one.source, one.proof) for one in first.items} == {
        ("edge", "preference centre", "from 192.0.2.0, with Browser")
    }
    assert (first.total, weekly.pk != theirs.pk) == (4, True)
    seen = selectors.list_consent_history(workspace=neighbour, contact_id=ada.pk, page=page)
    assert [one.what for one in seen.items] == ["Opted out of everything", "Subscribed to the list Theirs"]
    assert not selectors.list_consent_history(workspace=stranger, contact_id=ada.pk, page=page).items
