"""Reads of double opt-in: what a confirmation link can still do, and who waits to be asked."""

from datetime import datetime

from django.db.models import Q

from postroom.core.contacts import rules
from postroom.core.contacts.errors import NoSuchList
from postroom.core.contacts.models import ConsentChange, Contact, ContactWorkspace, List, ListMember
from postroom.core.contacts.rules.links import AGAIN_AFTER, is_expired
from postroom.core.contacts.selectors.people import get_contact_by_id
from postroom.core.contacts.selectors.suppressions import suppressions_in_force
from postroom.core.contacts.types import (
    Confirmation,
    ConfirmLink,
    MemberStatus,
    Standing,
    SubscriptionStatus,
    SuppressionReason,
)


def describe_confirmation(*, link: ConfirmLink, now: datetime) -> Confirmation:
    """Return what a link is about and what it can still do. Raises NoSuchList or NoSuchContact when either is gone."""
    list_ = List.objects.select_related("workspace").filter(pk=link.list_id).first()
    if list_ is None:
        raise NoSuchList
    contact = get_contact_by_id(workspace=list_.workspace, contact_id=link.contact_id)
    return Confirmation(
        standing=_standing(list_, contact, link, now),
        workspace_id=list_.workspace_id,
        workspace_name=list_.workspace.name,
        list_name=list_.name,
        contact_id=contact.pk,
        masked_email=rules.mask_email(contact.email or ""),
    )


def is_opted_out(list_: List, contact: Contact) -> bool:
    """Whether the person wants no newsletters of the list's workspace at all."""
    in_force = suppressions_in_force(workspace=list_.workspace, contact=contact)
    own_word = in_force.filter(Q(reason=SuppressionReason.UNSUBSCRIBED) | Q(is_opted_out=True))
    links = ContactWorkspace.objects.filter(contact=contact, workspace=list_.workspace)
    has_left = links.filter(status=SubscriptionStatus.UNSUBSCRIBED).exists()
    return contact.is_globally_opted_out or has_left or not links.exists() or own_word.exists()


def is_time_to_ask(member: ListMember, now: datetime) -> bool:
    """Whether a person who waits may be asked again."""
    return member.confirmation_sent_at is None or now >= member.confirmation_sent_at + AGAIN_AFTER


def _standing(list_: List, contact: Contact, link: ConfirmLink, now: datetime) -> Standing:
    member = ListMember.objects.filter(list=list_, contact=contact).first()
    if member is None:
        raise NoSuchList
    if is_opted_out(list_, contact) or member.status == MemberStatus.UNSUBSCRIBED:
        return Standing.LEFT
    if member.status == MemberStatus.SUBSCRIBED:
        return Standing.CONFIRMED
    left = ConsentChange.objects.filter(list=list_, contact=contact, state=MemberStatus.UNSUBSCRIBED)
    if left.filter(at__gt=link.sent_at).exists():
        return Standing.LEFT  # an older link does not answer the question that was asked anew since
    return Standing.EXPIRED if is_expired(link, now=now) else Standing.WAITING
