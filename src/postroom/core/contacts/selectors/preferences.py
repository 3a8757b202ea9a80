"""Reads of a person's will as they see it themselves: what a workspace may send them."""

from postroom.core.contacts import rules
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Category, Consent, Contact, ContactWorkspace, List, ListMember, Suppression
from postroom.core.contacts.selectors.people import get_contact_by_id, visible_people
from postroom.core.contacts.selectors.suppressions import suppressions_in_force
from postroom.core.contacts.types import (
    ConsentState,
    MemberStatus,
    Offer,
    PreferenceCard,
    Reach,
    ReaderLink,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.workspaces.models import Workspace


def describe_preferences(*, link: ReaderLink) -> PreferenceCard:
    """Return what a person may choose and has chosen. Raises NoSuchContact when they are not there any more."""
    workspace = Workspace.objects.select_related("organization").filter(pk=link.workspace_id).first()
    if workspace is None:
        raise NoSuchContact
    contact = get_contact_by_id(workspace=workspace, contact_id=link.contact_id)
    in_force = tuple(suppressions_in_force(workspace=workspace, contact=contact))
    return PreferenceCard(
        workspace_id=workspace.pk,
        workspace_slug=workspace.slug,
        workspace_name=workspace.name,
        organization_name=workspace.organization.name,
        contact_id=contact.pk,
        masked_email=rules.mask_email(contact.email or ""),
        reach=_reach(workspace, contact, in_force),
        lists=_offered_lists(workspace, contact),
        categories=_offered_categories(workspace, contact),
        held_back=_held_back(in_force),
    )


def find_reader(*, workspace: Workspace, email: str) -> int | None:
    """Return the key of the person of a workspace with this normalised address, or None."""
    people = visible_people(workspace=workspace).filter(email=email)
    return people.values_list("pk", flat=True).first()


def _reach(workspace: Workspace, contact: Contact, in_force: tuple[Suppression, ...]) -> Reach:
    own_words = {one.scope for one in in_force if _is_own_word(one)}
    if contact.is_globally_opted_out or SuppressionScope.ORGANIZATION in own_words:
        return Reach.NOTHING
    links = ContactWorkspace.objects.filter(workspace=workspace, contact=contact)
    has_left = links.filter(status=SubscriptionStatus.UNSUBSCRIBED).exists()
    return Reach.NOTHING_HERE if has_left or own_words else Reach.CHOSEN


def _is_own_word(one: Suppression) -> bool:
    return one.reason == SuppressionReason.UNSUBSCRIBED or one.is_opted_out


def _held_back(in_force: tuple[Suppression, ...]) -> str:
    """Why nothing arrives whatever is chosen: a word of ``SuppressionReason``, or nothing."""
    return next((one.reason for one in in_force if one.reason != SuppressionReason.UNSUBSCRIBED), "")


def _offered_lists(workspace: Workspace, contact: Contact) -> tuple[Offer, ...]:
    """Public lists, and those the person is on: what they are on they may leave."""
    status = dict(
        ListMember.objects.filter(contact=contact, list__workspace=workspace).values_list("list_id", "status")
    )
    lists = List.objects.filter(workspace=workspace).order_by("name", "pk")
    return tuple(
        Offer(
            id=one.pk,
            uid=one.uid,
            name=one.name,
            description=one.description,
            is_chosen=status.get(one.pk) == MemberStatus.SUBSCRIBED,
            is_waiting=status.get(one.pk) == MemberStatus.PENDING,
        )
        for one in lists
        if one.is_public or status.get(one.pk) in {MemberStatus.SUBSCRIBED, MemberStatus.PENDING}
    )


def _offered_categories(workspace: Workspace, contact: Contact) -> tuple[Offer, ...]:
    said = dict(
        Consent.objects.filter(contact=contact, category__workspace=workspace).values_list("category_id", "state")
    )
    return tuple(
        Offer(one.pk, one.uid, one.name, one.description, is_chosen=said.get(one.pk) == ConsentState.GRANTED)
        for one in Category.objects.filter(workspace=workspace).order_by("position", "name", "pk")
    )
