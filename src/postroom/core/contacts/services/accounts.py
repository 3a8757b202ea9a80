"""Writes of accounts: the companies people belong to."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, NameTaken
from postroom.core.contacts.models import Account, AccountContact
from postroom.core.contacts.rules.domains import clean_domain
from postroom.core.contacts.selectors.accounts import get_account
from postroom.core.contacts.selectors.people import lock_contact
from postroom.core.contacts.types import AccountDetails
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


@transaction.atomic
def create_account(*, workspace: Workspace, details: AccountDetails, actor: Actor, now: datetime) -> Account:
    """Store a company. Raises BadValue, or NameTaken when the workspace has one of this name."""
    account = Account(workspace=workspace, created_at=now)
    _save(account, details, now)
    act = AuditRecord("account.created", "account", account.pk, after=_values(account))
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return account


@transaction.atomic
def update_account(*, workspace: Workspace, uid: UUID, details: AccountDetails, actor: Actor, now: datetime) -> Account:
    """Say anew what is known of a company. Raises NoSuchAccount, BadValue, NameTaken."""
    account = get_account(workspace=workspace, uid=uid)
    before = _values(account)
    _save(account, details, now)
    after = _values(account)
    if after != before:
        act = AuditRecord("account.updated", "account", account.pk, before=before, after=after)
        changed = [name for name, value in after.items() if before[name] != value]
        events.record_act(workspace=workspace, actor=actor, act=act, now=now, data={"changed": [*changed]})
    return account


@transaction.atomic
def delete_account(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a company; its people stay. Raises NoSuchAccount."""
    account = get_account(workspace=workspace, uid=uid)
    act = AuditRecord("account.deleted", "account", account.pk, before=_values(account))
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    account.delete()


@transaction.atomic
def link_account(
    *, workspace: Workspace, uid: UUID, contact_uid: UUID, role: str, actor: Actor, now: datetime
) -> AccountContact:
    """Put a person into a company, or give them another role there. Raises NoSuchAccount, NoSuchContact, BadValue."""
    account = get_account(workspace=workspace, uid=uid)
    contact = lock_contact(workspace=workspace, uid=contact_uid)
    role = rules.clean_line(role, label="Role", max_length=80)
    link, is_new = AccountContact.objects.get_or_create(
        account=account, contact=contact, defaults={"role": role, "created_at": now}
    )
    if not is_new and link.role == role:
        return link
    link.role = role
    link.save(update_fields=["role"])
    _record_link(account, contact.pk, "account.contact_linked", actor, now, is_new=is_new)
    return link


@transaction.atomic
def unlink_account(*, workspace: Workspace, uid: UUID, contact_uid: UUID, actor: Actor, now: datetime) -> None:
    """Take a person out of a company; one who is not in it stays out. Raises NoSuchAccount, NoSuchContact."""
    account = get_account(workspace=workspace, uid=uid)
    contact = lock_contact(workspace=workspace, uid=contact_uid)
    count, _ = AccountContact.objects.filter(account=account, contact=contact).delete()
    if count:
        _record_link(account, contact.pk, "account.contact_unlinked", actor, now, is_new=False)


def _record_link(account: Account, contact_id: int, name: str, actor: Actor, now: datetime, *, is_new: bool) -> None:
    data: JSONObject = {"account_id": account.pk, "is_new": is_new}
    act = AuditRecord(name, "account", account.pk, after={"contact_id": contact_id})
    events.record_act(workspace=account.workspace, actor=actor, act=act, now=now, contact_id=contact_id, data=data)


def _save(account: Account, details: AccountDetails, now: datetime) -> None:
    account.name = rules.clean_line(details.name, label="Name")
    if not account.name:
        raise BadValue("A company needs a name.")
    account.domain = clean_domain(details.domain)
    account.plan = rules.clean_line(details.plan, label="Plan", max_length=80)
    account.notes = rules.clean_text(details.notes, label="Notes")
    account.is_active, account.updated_at = details.is_active, now
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a company called {account.name!r}.") from error


def _values(account: Account) -> JSONObject:
    return {
        "name": account.name,
        "domain": account.domain,
        "plan": account.plan,
        "notes": account.notes,
        "is_active": account.is_active,
    }
