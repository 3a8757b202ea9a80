"""Writes of a person's will: categories, consent, and the one way out for every door."""

from datetime import datetime

from django.db import IntegrityError, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, NameTaken, NoSuchList
from postroom.core.contacts.models import (
    Category,
    Consent,
    Contact,
    ContactWorkspace,
    List,
    ListMember,
)
from postroom.core.contacts.selectors.lists import get_category
from postroom.core.contacts.selectors.people import lock_contact_by_id, lock_known_contact
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.services.suppression import suppress_opted_out
from postroom.core.contacts.types import (
    ConsentState,
    MemberStatus,
    OptOutScope,
    SubscriptionStatus,
    SuppressionScope,
)
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


@transaction.atomic
def create_category(*, workspace: Workspace, name: str, slug: str, actor: Actor, now: datetime) -> Category:
    """Make a kind of mail. Raises BadValue for an empty name or slug, NameTaken when the slug is in use."""
    cleaned = rules.clean_line(name, label="Name")
    slug = rules.clean_line(slug, label="Slug", max_length=80).lower().replace(" ", "-")
    if not cleaned or not slug:
        raise BadValue("A category needs a name and a slug.")
    try:
        with transaction.atomic():
            category = Category.objects.create(workspace=workspace, name=cleaned, slug=slug, created_at=now)
    except IntegrityError as error:
        raise NameTaken(f"There is already a category {slug!r}.") from error
    act = AuditRecord("category.created", "category", category.pk, after={"slug": slug})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return category


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
    consent = Consent.objects.filter(category=category, contact=contact).first()
    before = consent.state if consent else None
    if consent is not None and before == state:
        return consent
    consent = _put_consent(contact, category.pk, state, now)
    keep_proof(contact, Word(actor, source, now), state=state, category_id=category.pk)
    act = AuditRecord(
        "contact.consent_changed", "consent", consent.pk, before={"state": before}, after={"state": state}
    )
    data: JSONObject = {"category_id": category.pk, "state": state.value}
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk, data=data)
    return consent


@transaction.atomic
def opt_out(
    *, workspace: Workspace, contact_id: int, scope: OptOutScope, source: str, actor: Actor, now: datetime
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
        _record_opt_out(workspace, contact, scope, Word(actor, source, now))
    return any(changed)


def _checked_lists(workspace: Workspace, list_ids: tuple[int, ...]) -> list[int]:
    found = set(List.objects.filter(workspace=workspace, pk__in=list_ids).values_list("pk", flat=True))
    if missing := set(list_ids) - found:
        raise NoSuchList(f"There is no list {min(missing)} in this workspace.")
    return sorted(found)


def _leave_list(workspace: Workspace, contact: Contact, list_id: int, now: datetime) -> bool:
    member, is_new = ListMember.objects.get_or_create(
        list_id=list_id,
        contact=contact,
        defaults={"status": MemberStatus.UNSUBSCRIBED, "created_at": now, "updated_at": now},
    )
    if not is_new and member.status == MemberStatus.UNSUBSCRIBED:
        return False
    member.status, member.updated_at = MemberStatus.UNSUBSCRIBED, now
    member.save(update_fields=["status", "updated_at"])
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


def _record_opt_out(workspace: Workspace, contact: Contact, scope: OptOutScope, word: Word) -> None:
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
    events.record_act(workspace=workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk, data=data)


def _is_whole_workspace(scope: OptOutScope) -> bool:
    return not (scope.is_everything or scope.list_ids or scope.category_id is not None)
