"""Reads before a merge: who may be the same person, and what would become of both."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadMerge, NoSuchContact
from postroom.core.contacts.models import (
    AccountContact,
    Consent,
    Contact,
    ContactTag,
    ContactWorkspace,
    Interaction,
    ListMember,
    Suppression,
)
from postroom.core.contacts.rules import duplicates, merging
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.people import get_contact
from postroom.core.contacts.selectors.suppressions import suppressions_in_force
from postroom.core.contacts.types import FieldChoice, Resemblance, Side, StateMerge
from postroom.core.workspaces.models import Workspace

MAX_CANDIDATES: Final = 300

# One walk of the index of words, whatever the planner believes: it is the only one that fits, for the limit stands
# outside, and IS TRUE keeps the others out.
_CANDIDATES: Final = """
SELECT id FROM (
    SELECT id FROM contacts_contact WHERE search @@ %s::tsquery AND (organization_id = %s) IS TRUE OFFSET 0
) found LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Somebody who may be the same person, and what speaks for it."""

    contact: Contact
    resemblance: Resemblance


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What would become of two records: field by field, state by state. ``given_up`` is the address that will only lead
    to the survivor; ``other_rooms`` counts other workspaces of the organization that see either of them.
    """

    survivor: Contact
    other: Contact
    fields: tuple[FieldChoice, ...]
    tags: tuple[str, ...]
    status: StateMerge
    memberships: tuple[StateMerge, ...]
    consents: tuple[StateMerge, ...]
    suppressions: tuple[Suppression, ...]
    account_count: int
    interaction_count: int
    given_up: str
    is_opted_out: bool
    other_rooms: int


def find_duplicates(*, workspace: Workspace, uid: UUID, limit: int = 10) -> list[Duplicate]:
    """Return people of the workspace who may be the same as this one, the likeliest first. Raises NoSuchContact.

    Looked for by the words of the name and of the address's local part, among ``MAX_CANDIDATES`` at most of each.
    """
    contact = get_contact(workspace=workspace, uid=uid)
    people = {person.pk: person for text in _clues(contact) for person in _candidates(workspace, contact, text)}
    found = [Duplicate(person, duplicates.compare(contact, person)) for person in people.values()]
    found = [one for one in found if one.resemblance.score >= duplicates.ENOUGH]
    return sorted(found, key=lambda one: (-one.resemblance.score, one.contact.pk))[:limit]


def preview_merge(
    *, workspace: Workspace, survivor_uid: UUID, other_uid: UUID, choices: Mapping[str, Side] | None = None
) -> MergePreview:
    """Return what ``merge_contacts`` would make of the two. Raises NoSuchContact or BadMerge."""
    survivor, other = (get_contact(workspace=workspace, uid=uid) for uid in (survivor_uid, other_uid))
    if survivor.pk == other.pk:
        raise BadMerge("This is one record already.")
    if survivor.uid != survivor_uid or other.uid != other_uid:
        raise NoSuchContact("One of the two has been merged with somebody meanwhile.")
    fields = rules.list_choices(survivor, other, list_field_specs(workspace=workspace), choices or {})
    both = (survivor, other)
    return MergePreview(
        survivor=survivor,
        other=other,
        fields=tuple(fields),
        tags=_tags(workspace, both),
        status=_status(workspace, both),
        memberships=_memberships(workspace, both, fields),
        consents=_consents(workspace, both),
        suppressions=tuple(suppressions_in_force(workspace=workspace, contact=other)),
        account_count=AccountContact.objects.filter(contact=other).count(),
        interaction_count=Interaction.objects.filter(contact=other).count(),
        given_up=given_up_address(survivor, other, fields),
        is_opted_out=survivor.is_globally_opted_out or other.is_globally_opted_out,
        other_rooms=_count_other_rooms(workspace, both),
    )


def given_up_address(survivor: Contact, other: Contact, fields: Iterable[FieldChoice]) -> str:
    """Return the address that does not stay, empty when none is given up."""
    wins = next((field.wins for field in fields if field.key == "email"), "survivor")
    return (other.email if wins == "survivor" else survivor.email) or ""


def _clues(contact: Contact) -> list[str]:
    local = (contact.email or "").partition("@")[0].partition("+")[0]
    clues = [f"{contact.first_name} {contact.last_name}".strip(), local, local.replace(".", "")]
    return [clue for clue in dict.fromkeys(clues) if len(clue) > 2]


def _candidates(workspace: Workspace, contact: Contact, text: str) -> QuerySet[Contact]:
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, [rules.search_query(text), workspace.organization_id, MAX_CANDIDATES])
        found = [pk for (pk,) in cursor.fetchall()]
    people = Contact.objects.filter(pk__in=found, links__workspace=workspace, erased_at=None)
    return people.filter(organization_id=workspace.organization_id).exclude(pk=contact.pk)


def _tags(workspace: Workspace, both: tuple[Contact, Contact]) -> tuple[str, ...]:
    links = ContactTag.objects.filter(contact__in=both, tag__workspace=workspace)
    return tuple(dict.fromkeys(links.order_by("tag__name").values_list("tag__name", flat=True)))


def _status(workspace: Workspace, both: tuple[Contact, Contact]) -> StateMerge:
    links = ContactWorkspace.objects.filter(contact__in=both, workspace=workspace)
    found = dict(links.values_list("contact_id", "status"))
    mine, theirs = (found[one.pk] for one in both)
    return StateMerge(workspace.name, mine, theirs, merging.strictest_status(mine, theirs))


def _memberships(
    workspace: Workspace, both: tuple[Contact, Contact], fields: Iterable[FieldChoice]
) -> tuple[StateMerge, ...]:
    rows = ListMember.objects.filter(contact__in=both, list__workspace=workspace).annotate(name=F("list__name"))
    is_swapped = any(field.key == "email" and field.wins == "other" for field in fields)

    def judge(mine: str, theirs: str) -> str:
        return merging.strictest_membership(theirs, mine) if is_swapped else merging.strictest_membership(mine, theirs)

    return _merge_states(rows.order_by("name").values_list("name", "contact_id", "status"), both, judge)


def _consents(workspace: Workspace, both: tuple[Contact, Contact]) -> tuple[StateMerge, ...]:
    rows = Consent.objects.filter(contact__in=both, category__workspace=workspace).annotate(name=F("category__name"))
    states = rows.order_by("name").values_list("name", "contact_id", "state")
    return _merge_states(states, both, merging.strictest_consent)


def _merge_states(
    rows: Iterable[tuple[str, int, str]], both: tuple[Contact, Contact], judge: Callable[[str, str], str]
) -> tuple[StateMerge, ...]:
    found: dict[str, dict[int, str]] = {}
    for name, contact_id, state in rows:
        found.setdefault(name, {})[contact_id] = state
    merged = []
    for name, states in found.items():
        mine, theirs = (states.get(one.pk, "") for one in both)
        merged.append(StateMerge(name, mine, theirs, judge(mine, theirs) if mine and theirs else mine or theirs))
    return tuple(merged)


def _count_other_rooms(workspace: Workspace, both: tuple[Contact, Contact]) -> int:
    links = ContactWorkspace.objects.filter(contact__in=both).exclude(workspace=workspace)
    return links.values("workspace_id").distinct().count()
