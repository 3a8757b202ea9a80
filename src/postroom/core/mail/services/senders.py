"""Sender accounts: who mail comes from, and the server that carries it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from postroom.core.events import services as events
from postroom.core.mail.errors import BadSender, MailNameTaken, NoSuchSender, SenderInUse
from postroom.core.mail.models import Message, SenderAccount
from postroom.core.mail.rules.senders import check_new_sender, is_other_server
from postroom.core.mail.selectors.domains import get_domain_by_id
from postroom.core.mail.selectors.senders import get_sender, list_senders
from postroom.core.mail.services.limit_terms import mark_limited, set_limit
from postroom.core.mail.types import NOTIFY_QUEUE, NewLimit, NewSender, Per, Provider, SenderChanges
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.notify import notify
from postroom.kit.types import UNSET, JSONObject, Unset

SANDBOX_NAME: Final = "Sandbox"


@transaction.atomic
def create_sender(*, workspace: Workspace, new: NewSender, actor: Actor, now: datetime) -> SenderAccount:
    """Store a sender account; its credentials are encrypted.

    Raises BadSender or BadAddress, NoSuchDomain for a foreign domain, MailNameTaken.
    """
    domain = get_domain_by_id(workspace=workspace, domain_id=new.domain_id) if new.domain_id is not None else None
    check_new_sender(new, domain=domain.name if domain else "")
    sender = SenderAccount(
        workspace=workspace,
        domain=domain,
        name=new.name.strip(),
        provider=new.provider,
        from_name=new.from_name,
        from_email=new.from_email,
        reply_to=new.reply_to,
        config=dict(new.config),
        credentials=crypto.encrypt(json.dumps(dict(new.credentials))) if new.credentials else "",
        created_at=now,
    )
    _save(sender)
    if new.daily_limit is not None:
        daily = NewLimit(sender_id=sender.pk, most=new.daily_limit, per=Per.DAY)
        set_limit(workspace=workspace, new=daily, actor=actor, now=now)
    mark_limited(workspace=workspace)
    after: JSONObject = {"name": sender.name, "provider": new.provider.value, "from_email": sender.from_email}
    record = AuditRecord(act="sender.created", object_type="sender", object_id=sender.pk, after=after)
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return sender


@transaction.atomic
def update_sender(
    *, workspace: Workspace, uid: UUID, changes: SenderChanges, actor: Actor, now: datetime
) -> SenderAccount:
    """Change what is named of a sender account; credentials that are not given stay as they are.

    Raises NoSuchSender, what ``create_sender`` raises, and BadSender when stored credentials would go to another
    server.
    """
    sender = _lock(workspace, uid)
    before = _plain(sender)
    old_server = sender.config
    _apply(sender, changes)
    known = json.loads(crypto.decrypt(sender.credentials)) if sender.credentials else {}
    if known and not changes.credentials and is_other_server(old_server, sender.config):
        raise BadSender("Enter the password again: it must not go to another server unasked.", field="password")
    credentials = {**known, **changes.credentials}
    name, is_carried = sender.domain.name if sender.domain else "", sender.carrier_id is not None
    check_new_sender(_as_new(sender, credentials), domain=name, is_carried=is_carried)
    if changes.credentials:
        sender.credentials = crypto.encrypt(json.dumps(credentials))
    _save(sender)
    mark_limited(workspace=workspace)
    _note(sender, "sender.changed", actor, now, before=before, after=_plain(sender))
    return sender


@transaction.atomic
def switch_sender(*, workspace: Workspace, uid: UUID, is_on: bool, actor: Actor, now: datetime) -> SenderAccount:
    """Let a sender account send, or let it send nothing until it is switched on again. Raises NoSuchSender."""
    sender = _lock(workspace, uid)
    if sender.is_active != is_on:
        sender.is_active = is_on
        if is_on:  # whoever switches it on means it to try at once
            sender.retry_at, sender.failing_since, sender.failure_count = None, None, 0
        sender.save(update_fields=["is_active", "retry_at", "failing_since", "failure_count"])
        _note(sender, "sender.switched_on" if is_on else "sender.switched_off", actor, now)
        notify(NOTIFY_QUEUE)
    return sender


@transaction.atomic
def delete_sender(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Delete a sender account that nothing was sent with. Raises NoSuchSender, SenderInUse with what holds it."""
    sender = _lock(workspace, uid)
    has_sent = Message.objects.filter(sender=sender, workspace=workspace).exists()
    try:
        if has_sent:
            raise ProtectedError("messages", set())
        before = _plain(sender)
        _note(sender, "sender.deleted", actor, now, before=before)
        with transaction.atomic():
            sender.delete()
    except ProtectedError as error:
        raise SenderInUse(
            f"{sender.name} has sent mail or carries others', or a campaign is meant to leave from it."
            " It can be switched off instead."
        ) from error


def first_sender(*, workspace: Workspace, actor: Actor, now: datetime) -> SenderAccount:
    """Return the workspace's first account that sends, else the sandbox."""
    for sender in list_senders(workspace=workspace):
        if sender.is_active and sender.provider != Provider.SANDBOX:
            return sender
    return ensure_sandbox_sender(workspace=workspace, actor=actor, now=now)


@transaction.atomic
def ensure_sandbox_sender(*, workspace: Workspace, actor: Actor, now: datetime) -> SenderAccount:
    """Return the account whose mail stays in the sandbox, made on the first call: what a workspace starts with."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    found = SenderAccount.objects.filter(workspace=workspace, provider=Provider.SANDBOX).order_by("pk").first()
    if found is not None:
        return found
    new = NewSender(
        name=SANDBOX_NAME,
        provider=Provider.SANDBOX,
        from_name=workspace.name,
        from_email=f"{workspace.slug}@{settings.INBOUND_DOMAIN}",
    )
    return create_sender(workspace=workspace, new=new, actor=actor, now=now)


def _lock(workspace: Workspace, uid: UUID) -> SenderAccount:
    rows = SenderAccount.objects.select_for_update(of=("self",)).select_related("domain", "workspace")
    found = rows.filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchSender("There is no such sender account in this workspace.")
    return found


def _save(sender: SenderAccount) -> None:
    try:
        with transaction.atomic():
            sender.save()
    except IntegrityError as error:
        raise MailNameTaken(f"There is already a sender account called {sender.name!r}.") from error


def _apply(sender: SenderAccount, changes: SenderChanges) -> None:
    for name in ("name", "from_name", "from_email", "reply_to", "config", "fallback_after_s"):
        value = getattr(changes, name)
        if value is not UNSET:
            setattr(sender, name, value.strip() if name == "name" else value)
    if not isinstance(changes.domain_id, Unset):
        number = changes.domain_id
        sender.domain = None if number is None else get_domain_by_id(workspace=sender.workspace, domain_id=number)
    if not isinstance(changes.fallback_id, Unset):
        sender.fallback = None if changes.fallback_id is None else _stand_in(sender, changes.fallback_id)


def _stand_in(sender: SenderAccount, fallback_id: int) -> SenderAccount:
    found = get_sender(workspace=sender.workspace, sender_id=fallback_id)
    if found.pk == sender.pk:
        raise BadSender("A sender account cannot stand in for itself.", field="fallback_id")
    if found.carrier_id is not None:
        raise BadSender(f"{found.name} has no server of its own that could stand in.", field="fallback_id")
    return found


def _as_new(sender: SenderAccount, credentials: Mapping[str, str]) -> NewSender:
    return NewSender(
        name=sender.name,
        provider=Provider(sender.provider),
        from_email=sender.from_email,
        from_name=sender.from_name,
        reply_to=sender.reply_to,
        config=sender.config,
        credentials=credentials,
    )


def _note(
    sender: SenderAccount,
    act: str,
    actor: Actor,
    now: datetime,
    *,
    before: JSONObject | None = None,
    after: JSONObject | None = None,
) -> None:
    record = AuditRecord(act, "sender", sender.pk, before=before, after=after)
    events.record_act(workspace=sender.workspace, actor=actor, act=record, now=now, data={"sender": str(sender.uid)})


def _plain(sender: SenderAccount) -> JSONObject:
    """Return what the audit trail keeps of an account: everything but its secrets."""
    return {
        "name": sender.name,
        "from_name": sender.from_name,
        "from_email": sender.from_email,
        "reply_to": sender.reply_to,
        "domain": sender.domain_id,
        "config": dict(sender.config),
        "fallback": sender.fallback_id,
        "fallback_after_s": sender.fallback_after_s,
    }
