"""Carriers: a sender account whose server carries the mail of every verified domain of its workspace."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from postroom.core.events import services as events
from postroom.core.mail.errors import BadSender, NoCarrier, NoSuchSender
from postroom.core.mail.models import Domain, SenderAccount
from postroom.core.mail.services.limit_terms import mark_limited
from postroom.core.mail.types import NOTIFY_QUEUE
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Actor, AuditRecord
from postroom.kit.notify import notify
from postroom.kit.types import JSONObject

MAILBOX: Final = "hello"
"""Whose mail it is when a message names no From of its own."""


@transaction.atomic
def choose_relay(*, workspace: Workspace, uid: UUID, is_on: bool, actor: Actor, now: datetime) -> SenderAccount:
    """Have an account's server carry the mail of every verified domain of its workspace, or no longer.

    Only one does: it takes over what another carried. Raises NoSuchSender, and BadSender for an account that is carried
    itself.
    """
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    rows = SenderAccount.objects.select_for_update().filter(workspace=workspace)
    sender = rows.filter(uid=uid).first()
    if sender is None:
        raise NoSuchSender("There is no such sender account in this workspace.")
    if sender.carrier_id is not None:
        raise BadSender(f"{sender.name} has no server of its own that could carry mail.", field="is_relay")
    if sender.is_relay == is_on:
        return sender
    rows.filter(is_relay=True).update(is_relay=False)
    rows.filter(pk=sender.pk).update(is_relay=is_on)
    sender.is_relay = is_on
    carried = rows.exclude(carrier=None)
    if is_on:
        carried.update(carrier=sender, provider=sender.provider)
    carried.exclude(domain=None).update(is_active=is_on)
    mark_limited(workspace=workspace)
    act = AuditRecord("sender.carries" if is_on else "sender.carries_no_more", "sender", sender.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, data={"sender": str(sender.uid)})
    notify(NOTIFY_QUEUE)
    return sender


@transaction.atomic
def ensure_carried_sender(*, workspace: Workspace, domain: Domain, now: datetime) -> SenderAccount:
    """Return the account that sends for a verified domain over the server of the workspace's relay; made on the first
    call. Raises NoCarrier while the workspace has none.
    """
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    relay = SenderAccount.objects.filter(workspace=workspace, is_relay=True, is_active=True).first()
    if relay is None:
        raise NoCarrier(f"No sender account of this workspace carries the mail of {domain.name}.", domain=domain.name)
    sender = _find_carried(workspace, domain) or _new_carried(workspace, domain, now)
    is_new, is_changed = sender.pk is None, sender.carrier_id != relay.pk or not sender.is_active
    sender.domain, sender.carrier, sender.provider, sender.is_active = domain, relay, relay.provider, True
    sender.save()
    if is_new or is_changed:
        mark_limited(workspace=workspace)
        after: JSONObject = {"name": sender.name, "domain": domain.pk, "carrier": relay.pk}
        act = AuditRecord("sender.created" if is_new else "sender.changed", "sender", sender.pk, after=after)
        events.record_act(workspace=workspace, actor=SYSTEM, act=act, now=now, data={"sender": str(sender.uid)})
        sender.refresh_from_db(fields=["is_limited"])
    return sender


def _find_carried(workspace: Workspace, domain: Domain) -> SenderAccount | None:
    """Return the domain's carried account, also the one that is left of an earlier domain of the same name."""
    rows = SenderAccount.objects.select_for_update().filter(workspace=workspace).exclude(carrier=None)
    left = Q(domain=None, from_email=f"{MAILBOX}@{domain.name}")
    return rows.filter(Q(domain=domain) | left).order_by("domain_id", "pk").first()


def _new_carried(workspace: Workspace, domain: Domain, now: datetime) -> SenderAccount:
    """Return an account that is not stored yet, called like its domain or, where somebody has that name, nearly so."""
    taken = set(SenderAccount.objects.filter(workspace=workspace).values_list("name", flat=True))
    names = (domain.name[:180], *(f"{domain.name[:180]} {number}" for number in range(2, len(taken) + 3)))
    name = next(name for name in names if name not in taken)
    return SenderAccount(workspace=workspace, name=name, from_email=f"{MAILBOX}@{domain.name}", created_at=now)
