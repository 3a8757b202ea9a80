"""Writes of suppressions: addresses that must not be mailed, whoever asks."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.models import Contact, ContactWorkspace, ListMember, Suppression
from postroom.core.contacts.types import (
    MemberStatus,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.ids import uuid7

RANK: Final = (
    SuppressionReason.MANUAL,
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.BANNED,
    SuppressionReason.COMPLAINT,
    SuppressionReason.ERASED,
)
"""Weakest first: a stronger reason takes the place of a weaker one, never the other way round."""

_UPSERT: Final = """
INSERT INTO contacts_suppression AS s
    (uid, scope, organization_id, workspace_id, address_hash, email, reason, detail, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (address_hash, scope, organization_id, workspace_id)
DO UPDATE SET reason = excluded.reason, detail = excluded.detail
WHERE array_position(%s::text[], s.reason::text) < array_position(%s::text[], excluded.reason::text)
RETURNING s.id
"""


@transaction.atomic
def suppress_address(
    *,
    workspace: Workspace,
    email: str,
    scope: SuppressionScope,
    reason: SuppressionReason,
    detail: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Never mail this address again, as far as ``scope`` reaches. Return whether that was news.

    Safe to repeat; a complaint replaces a bounce and not the other way round. Raises BadAddress.
    """
    address = rules.normalise_email(email)
    suppression_id = _upsert(workspace, address, scope, reason, detail, now)
    if suppression_id is None:
        return False
    contact = Contact.objects.filter(organization_id=workspace.organization_id, email=address).first()
    act = AuditRecord(
        "contact.suppressed", "suppression", suppression_id, after={"reason": reason.value, "scope": scope.value}
    )
    contact_id = contact.pk if contact else None
    events.record_act(
        workspace=workspace, actor=actor, act=act, now=now, contact_id=contact_id, data={"reason": reason.value}
    )
    return True


@transaction.atomic
def unsuppress_address(*, workspace: Workspace, email: str, actor: Actor, now: datetime) -> bool:
    """Lift the workspace's own suppression of an address. Return whether there was one. Raises BadAddress."""
    address_hash = crypto.address_hash(rules.normalise_email(email))
    found = Suppression.objects.filter(
        workspace=workspace, scope=SuppressionScope.WORKSPACE, address_hash=address_hash
    ).exclude(reason=SuppressionReason.ERASED)
    row = found.first()
    if row is None:
        return False
    act = AuditRecord("contact.unsuppressed", "suppression", row.pk, before={"reason": row.reason})
    row.delete()
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return True


def keep_opt_out(*, workspace: Workspace, contact: Contact, now: datetime) -> None:
    """Before a person leaves a workspace: let their opt-out live on, so that a later import does not revive them.

    Their standing with lists goes with them, so having left any of these counts as having left all. A category needs
    nothing: without a word of theirs it is closed.
    """
    is_elsewhere = ContactWorkspace.objects.filter(contact=contact).exclude(workspace=workspace).exists()
    if contact.is_globally_opted_out and not is_elsewhere:  # the record itself holds it as long as it lives
        suppress_opted_out(workspace=workspace, contact=contact, scope=SuppressionScope.ORGANIZATION, now=now)
    elif _has_left_something(workspace, contact):
        suppress_opted_out(workspace=workspace, contact=contact, scope=SuppressionScope.WORKSPACE, now=now)


def _has_left_something(workspace: Workspace, contact: Contact) -> bool:
    return (
        ContactWorkspace.objects.filter(
            contact=contact, workspace=workspace, status=SubscriptionStatus.UNSUBSCRIBED
        ).exists()
        or ListMember.objects.filter(
            contact=contact, list__workspace=workspace, status=MemberStatus.UNSUBSCRIBED
        ).exists()
    )


def suppress_opted_out(*, workspace: Workspace, contact: Contact, scope: SuppressionScope, now: datetime) -> bool:
    """Keep an opt-out where no link of the person can hold it. Return whether that was news."""
    if not contact.email:
        return False
    detail = "Opted out; not a contact of the workspace any more."
    return _upsert(workspace, contact.email, scope, SuppressionReason.UNSUBSCRIBED, detail, now) is not None


def _upsert(
    workspace: Workspace,
    address: str,
    scope: SuppressionScope,
    reason: SuppressionReason,
    detail: str,
    now: datetime,
) -> int | None:
    """Write the row unless an equal or stronger one stands; return its key when something changed."""
    ranks = [one.value for one in RANK]
    values = (
        uuid7(),
        scope.value,
        workspace.organization_id if scope is not SuppressionScope.PLATFORM else None,
        workspace.pk if scope is SuppressionScope.WORKSPACE else None,
        crypto.address_hash(address),
        address,
        reason.value,
        detail[:1000].replace("\0", ""),
        now,
        ranks,
        ranks,
    )
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)
        row = cursor.fetchone()
    return int(row[0]) if row else None
