"""What a person does about one message: try it now, send a doubtful one again, cancel it, never mail its address."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.events import services as events
from postroom.core.mail.errors import BadMessage, MessageState, NoSuchMessage
from postroom.core.mail.models import Message
from postroom.core.mail.selectors.messages import foresee
from postroom.core.mail.types import NOTIFY_QUEUE, MessageOutlook, MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.notify import notify


@transaction.atomic
def retry_message(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Message:
    """Have a waiting message tried at once, or one in doubt sent once more, which its reader may then have twice.

    Raises NoSuchMessage, and MessageState where there is nothing to try.
    """
    message, outlook = _lock(workspace, uid, now)
    if not outlook.can_retry:
        raise MessageState("This message is not waiting for a try of its own.", status=message.status)
    before = message.status
    message.status, message.next_attempt_at = MessageStatus.QUEUED, now
    message.is_resent = message.is_resent or outlook.is_doubtful
    message.save(update_fields=["status", "next_attempt_at", "is_resent"])
    notify(NOTIFY_QUEUE)
    _record("message.retried", message, before, actor, now)
    return message


@transaction.atomic
def cancel_message(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Message:
    """Never send a message that waits. Raises NoSuchMessage, and MessageState where it is too late."""
    message, outlook = _lock(workspace, uid, now)
    if not outlook.can_cancel:
        raise MessageState("Only a message that waits can be cancelled.", status=message.status)
    before = message.status
    message.status, message.next_attempt_at = MessageStatus.CANCELLED, None
    message.save(update_fields=["status", "next_attempt_at"])
    _record("message.cancelled", message, before, actor, now)
    return message


def suppress_recipient(*, workspace: Workspace, uid: UUID, email: str, actor: Actor, now: datetime) -> None:
    """Have no mail of any kind go from the workspace to one of a message's recipients. Raises NoSuchMessage, and
    BadMessage for an address that is not among them.
    """
    message = Message.objects.filter(workspace=workspace, uid=uid).first()
    if message is None:
        raise NoSuchMessage("There is no such message in this workspace.")
    if email not in (*message.to, *message.cc, *message.bcc):
        raise BadMessage("The message did not go to this address.")
    contacts.suppress_address(
        workspace=workspace,
        email=email,
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail="from the page of a message",
        actor=actor,
        now=now,
    )


def _lock(workspace: Workspace, uid: UUID, now: datetime) -> tuple[Message, MessageOutlook]:
    rows = Message.objects.select_for_update(of=("self",)).select_related("batch", "workspace")
    message = rows.filter(workspace=workspace, uid=uid).first()
    if message is None:
        raise NoSuchMessage("There is no such message in this workspace.")
    return message, foresee(message=message, now=now)


def _record(action: str, message: Message, before: str, actor: Actor, now: datetime) -> None:
    record = AuditRecord(
        action, "message", message.pk, before={"status": before}, after={"status": str(message.status)}
    )
    events.record_act(workspace=message.workspace, actor=actor, act=record, now=now)
