"""Everything the page of one person shows."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from postroom.core.contacts import rules
from postroom.core.contacts.models import (
    AccountContact,
    Category,
    Consent,
    Contact,
    ContactWorkspace,
    Field,
    ListMember,
    Suppression,
    Tag,
)
from postroom.core.contacts.selectors.aliases import list_former_addresses
from postroom.core.contacts.selectors.fields import list_fields
from postroom.core.contacts.selectors.mail_states import load_mail_states
from postroom.core.contacts.selectors.people import get_contact
from postroom.core.contacts.selectors.suppressions import suppressions_in_force
from postroom.core.contacts.types import ConsentState, Fence, MailState, Verdict
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue

_MARKETING: Final = "marketing"


@dataclass(frozen=True, slots=True)
class CustomValue:
    """A custom field and the person's value; None when they have none."""

    field: Field
    value: JSONValue


@dataclass(frozen=True, slots=True)
class CategoryWord:
    """A category, the person's word on it (None when they never said any), and whether they may be mailed in it."""

    category: Category
    consent: Consent | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ContactCard:
    """Everything a person's page shows; ``status`` is theirs in this workspace, ``verdict`` says whether marketing of
    no special list or category may go to them, and ``answer`` the same of a reply or a receipt. ``former_addresses``
    were given up in merges and still mean this person.
    """

    contact: Contact
    status: str
    verdict: Verdict
    answer: Verdict
    tags: tuple[Tag, ...]
    memberships: tuple[ListMember, ...]
    consents: tuple[CategoryWord, ...]
    custom: tuple[CustomValue, ...]
    suppressions: tuple[Suppression, ...]
    accounts: tuple[AccountContact, ...]
    former_addresses: tuple[str, ...]


def describe_contact(*, workspace: Workspace, uid: UUID) -> ContactCard:
    """Return everything a person's page shows. Raises NoSuchContact."""
    contact = get_contact(workspace=workspace, uid=uid)
    state = load_mail_states(workspace=workspace, contact_ids=[contact.pk], fence=Fence())[contact.pk]
    members = ListMember.objects.filter(contact=contact, list__workspace=workspace).select_related("list")
    accounts = AccountContact.objects.filter(contact=contact, account__workspace=workspace).select_related("account")
    return ContactCard(
        contact=contact,
        status=ContactWorkspace.objects.values_list("status", flat=True).get(contact=contact, workspace=workspace),
        verdict=_judge(state, _MARKETING),
        answer=_judge(state, "transactional"),
        tags=tuple(Tag.objects.filter(workspace=workspace, contact_links__contact=contact).order_by("name")),
        memberships=tuple(members.order_by("list__name")),
        consents=_words(workspace, contact, state),
        custom=tuple(CustomValue(field, contact.custom.get(field.key)) for field in list_fields(workspace=workspace)),
        suppressions=tuple(suppressions_in_force(workspace=workspace, contact=contact)),
        accounts=tuple(accounts.order_by("account__name")),
        former_addresses=tuple(list_former_addresses(contact=contact)),
    )


def _words(workspace: Workspace, contact: Contact, state: MailState) -> tuple[CategoryWord, ...]:
    said = {consent.category_id: consent for consent in Consent.objects.filter(contact=contact)}
    words = []
    for category in Category.objects.filter(workspace=workspace).order_by("position", "name"):
        consent = said.get(category.pk)
        own = replace(state, consent=ConsentState(consent.state) if consent else None)
        words.append(CategoryWord(category, consent, _judge(own, _MARKETING, has_category=True)))
    return tuple(words)


def _judge(state: MailState, message_class: str, *, has_category: bool = False) -> Verdict:
    if not state.address:
        return Verdict(is_allowed=False, reason="no_address")
    return rules.may_we_mail(state, message_class=message_class, has_list=False, has_category=has_category)
