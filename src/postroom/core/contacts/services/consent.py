"""Writes of a person's will: consent, the one way out for every door, and the one way back."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from postroom.core.contacts.errors import NoSuchList
from postroom.core.contacts.models import (
    Category,
    Consent,
    Contact,
    ContactWorkspace,
    ListMember,
    Suppression,
)
from postroom.core.contacts.selectors.lists import get_category, hold_lists
from postroom.core.contacts.selectors.people import lock_contact_by_id, lock_known_contact
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.services.suppression import suppress_opted_out
from postroom.core.contacts.services.telling import UPDATED, tell_people
from postroom.core.contacts.types import (
    ConsentState,
    MemberStatus,
    OptOutScope,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject, JSONValue


@transaction.atomic
def set_consent(
    *,
    workspace: Workspace,
    contact_id: int,
    category_id: int,
    state: ConsentState,
    source: str,
    actor: Actor,
    now: datetime,
) -> Consent:
    """Write down a person's word on a category, with its history; the same word again changes nothing.

    Raises NoSuchCategory or NoSuchContact.
    """
    category = get_category(workspace=workspace, category_id=category_id)
    contact = lock_contact_by_id(workspace=workspace, contact_id=contact_id)
    return put_consent(contact, category, state, Word(actor, source, now, workspace))


def put_consent(contact: Contact, category: Category, state: ConsentState, word: Word) -> Consent:
    """Write a person's word with its history unless it stands already; ``contact`` is locked."""
    consent = Consent.objects.filter(category=category, contact=contact).first()
    before = consent.state if consent else None
    if consent is not None and before == state:
        return consent
    consent = _put_consent(contact, category.pk, state, word.at)
    keep_proof(contact, word, state=state, category_id=category.pk)
    act = AuditRecord(
        "contact.consent_changed", "consent", consent.pk, before={"state": before}, after={"state": state}
    )
    data: JSONObject = {"category_id": category.pk, "state": state.value}
    events.record_act(
        workspace=word.workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk, data=data
    )
    return consent


@transaction.atomic
def opt_out(
    *,
    workspace: Workspace,
    contact_id: int,
    scope: OptOutScope,
    source: str,
    actor: Actor,
    now: datetime,
    proof: Mapping[str, JSONValue] | None = None,
) -> bool:
    """Take a person off what ``scope`` names; with nothing named, off all consented mail of the workspace.

    Return whether anything changed; the same opt-out again changes nothing. It is done when this returns and the
    transaction has committed, before any door answers. Raises NoSuchContact, NoSuchList or NoSuchCategory.
    """
    contact = lock_known_contact(workspace=workspace, contact_id=contact_id)
    changed = [_leave_list(workspace, contact, list_id, now) for list_id in _checked_lists(workspace, scope.list_ids)]
    if scope.category_id is not None:
        category = get_category(workspace=workspace, category_id=scope.category_id)
        changed.append(_withdraw(contact, category, now))
    if scope.is_everything:
        changed.append(_leave_everything(contact, now))
    if _is_whole_workspace(scope):
        changed.append(_leave_workspace(workspace, contact, now))
    if any(changed):
        word = Word(actor, source, now, workspace, proof or {})
        _record_opt_out(contact, scope, word)
        _tell_wish(contact, word)
    return any(changed)


@transaction.atomic
def opt_in(
    *,
    workspace: Workspace,
    contact_id: int,
    source: str,
    actor: Actor,
    now: datetime,
    proof: Mapping[str, JSONValue] | None = None,
) -> bool:
    """Let a person come back to a workspace's mail at their own word; return whether they had been away.

    Takes back what they said of the workspace, and of everything; a no to everything stays a no in the organization's
    other workspaces. What others hold against the address (bounces, complaints, a manual entry) stays. Raises
    NoSuchContact.
    """
    contact = lock_contact_by_id(workspace=workspace, contact_id=contact_id)
    word = Word(actor, source, now, workspace, proof or {})
    has_come = (
        _return_to(workspace, contact),
        _take_back_everywhere(contact, word),
        _lift_own_words(contact, workspace, now),
    )
    if any(has_come):
        keep_proof(contact, word, state="opted_in")
        act = AuditRecord("contact.opted_in", "contact", contact.pk)
        events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk)
        _tell_wish(contact, word)
    return any(has_come)


def opt_in_everywhere(contact: Contact, word: Word) -> None:
    """Take a person's no to everything back, wherever they are; ``contact`` is locked and has said it."""
    contact.is_globally_opted_out, contact.globally_opted_out_at, contact.updated_at = False, None, word.at
    contact.save(update_fields=["is_globally_opted_out", "globally_opted_out_at", "updated_at"])
    keep_proof(contact, word, state="opted_in_all")
    act = AuditRecord("contact.opted_in", "contact", contact.pk)
    events.record_act(workspace=word.workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk)


def _checked_lists(workspace: Workspace, list_ids: tuple[int, ...]) -> list[int]:
    found = hold_lists(workspace=workspace, list_ids=list_ids) if list_ids else set()
    if missing := set(list_ids) - found:
        raise NoSuchList(f"There is no list {min(missing)} in this workspace.")
    return sorted(found)


def _leave_list(workspace: Workspace, contact: Contact, list_id: int, now: datetime) -> bool:
    member, is_new = ListMember.objects.get_or_create(
        list_id=list_id,
        contact=contact,
        defaults={"status": MemberStatus.UNSUBSCRIBED, "created_at": now, "updated_at": now},
    )
    # Who was taken off by a bulk change says it themselves now, and its undo does not bring them back.
    if not is_new and member.status == MemberStatus.UNSUBSCRIBED and not member.is_taken_off:
        return False
    member.status, member.source, member.updated_at = MemberStatus.UNSUBSCRIBED, "", now
    member.save(update_fields=["status", "source", "updated_at"])
    return True


def _withdraw(contact: Contact, category: Category, now: datetime) -> bool:
    if Consent.objects.filter(contact=contact, category=category, state=ConsentState.WITHDRAWN).exists():
        return False
    _put_consent(contact, category.pk, ConsentState.WITHDRAWN, now)
    return True


def _leave_workspace(workspace: Workspace, contact: Contact, now: datetime) -> bool:
    left = ContactWorkspace.objects.filter(contact=contact, workspace=workspace).exclude(
        status=SubscriptionStatus.UNSUBSCRIBED
    )
    if left.update(status=SubscriptionStatus.UNSUBSCRIBED):
        return True
    # Somebody who left the workspace since the mail was sent: what they say must hold should they ever come back.
    is_here = ContactWorkspace.objects.filter(contact=contact, workspace=workspace).exists()
    return not is_here and suppress_opted_out(
        workspace=workspace, contact=contact, scope=SuppressionScope.WORKSPACE, now=now
    )


def _leave_everything(contact: Contact, now: datetime) -> bool:
    if contact.is_globally_opted_out:
        return False
    contact.is_globally_opted_out, contact.globally_opted_out_at, contact.updated_at = True, now, now
    contact.save(update_fields=["is_globally_opted_out", "globally_opted_out_at", "updated_at"])
    return True


def _put_consent(contact: Contact, category_id: int, state: ConsentState, now: datetime) -> Consent:
    consent, _ = Consent.objects.update_or_create(
        contact=contact, category_id=category_id, defaults={"state": state, "updated_at": now}
    )
    return consent


def _record_opt_out(contact: Contact, scope: OptOutScope, word: Word) -> None:
    for list_id in scope.list_ids:
        keep_proof(contact, word, state=MemberStatus.UNSUBSCRIBED, list_id=list_id)
    if scope.category_id is not None:
        keep_proof(contact, word, state=ConsentState.WITHDRAWN, category_id=scope.category_id)
    if scope.is_everything or _is_whole_workspace(scope):
        keep_proof(contact, word, state="opted_out_all" if scope.is_everything else "opted_out")
    data: JSONObject = {
        "list_ids": [*scope.list_ids],
        "category_id": scope.category_id,
        "is_everything": scope.is_everything,
        "source": word.source[:200],
    }
    act = AuditRecord("contact.opted_out", "contact", contact.pk, after=data)
    events.record_act(
        workspace=word.workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk, data=data
    )


def _tell_wish(contact: Contact, word: Word) -> None:
    tell_people(workspace_id=word.workspace.pk, contact_ids=(contact.pk,), what=UPDATED, now=word.at)


def _is_whole_workspace(scope: OptOutScope) -> bool:
    return not (scope.is_everything or scope.list_ids or scope.category_id is not None)


def _return_to(workspace: Workspace, contact: Contact) -> bool:
    away = ContactWorkspace.objects.filter(contact=contact, workspace=workspace, status=SubscriptionStatus.UNSUBSCRIBED)
    return bool(away.update(status=SubscriptionStatus.SUBSCRIBED))


def _take_back_everywhere(contact: Contact, word: Word) -> bool:
    """Make of a no to everything a no to each of the other workspaces."""
    if not contact.is_globally_opted_out:
        return False
    _keep_elsewhere(contact, word.workspace, word.at)
    contact.is_globally_opted_out, contact.globally_opted_out_at, contact.updated_at = False, None, word.at
    contact.save(update_fields=["is_globally_opted_out", "globally_opted_out_at", "updated_at"])
    return True


def _keep_elsewhere(contact: Contact, workspace: Workspace, now: datetime) -> None:
    """Hold a no in each other workspace of the organization: on the link, or for the day when there is one."""
    links = ContactWorkspace.objects.filter(contact=contact)
    links.exclude(workspace=workspace).update(status=SubscriptionStatus.UNSUBSCRIBED)
    others = Workspace.objects.filter(organization_id=workspace.organization_id).exclude(pk=workspace.pk)
    for other in others.exclude(pk__in=links.values("workspace_id")):
        suppress_opted_out(workspace=other, contact=contact, scope=SuppressionScope.WORKSPACE, now=now)


def _lift_own_words(contact: Contact, workspace: Workspace, now: datetime) -> bool:
    """Forget opt-outs that were kept as suppressions; one of the organization is kept for its other workspaces."""
    own_words = Suppression.objects.filter(
        Q(reason=SuppressionReason.UNSUBSCRIBED) | Q(is_opted_out=True), address_hash=contact.address_hash or b""
    )
    here = own_words.filter(scope=SuppressionScope.WORKSPACE, workspace=workspace)
    everywhere = own_words.filter(scope=SuppressionScope.ORGANIZATION, organization_id=workspace.organization_id)
    if everywhere.exists():
        _keep_elsewhere(contact, workspace, now)
    return any([_forget_own_word(here), _forget_own_word(everywhere)])


def _forget_own_word(rows: QuerySet[Suppression]) -> bool:
    """Take the opt-out out of suppressions: those that are nothing else go, under a stronger reason the row stays."""
    gone, _ = rows.filter(reason=SuppressionReason.UNSUBSCRIBED).delete()
    return bool(rows.update(is_opted_out=False) + gone)
