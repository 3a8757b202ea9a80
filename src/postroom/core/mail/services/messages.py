"""What a person does about one message: try it now, send a doubtful one again, cancel it, never mail its address."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.events import services as events
from postroom.core.mail.errors import BadMessage, MessageState, NoSuchMessage
from postroom.core.mail.models import DeliveryEvent, Message
from postroom.core.mail.selectors.messages import foresee
from postroom.core.mail.selectors.outgoing import from_domain, is_scheduled
from postroom.core.mail.selectors.searches import iter_found
from postroom.core.mail.services.telling import tell_messages
from postroom.core.mail.types import NOTIFY_QUEUE, EventType, MessageOutlook, MessageSearch, MessageStatus
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
    return _cancel(message, actor, now)


@transaction.atomic
def cancel_scheduled(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime, mail_domain: str = "") -> Message:
    """Never send a message that still waits for the time its sender chose.

    Raises NoSuchMessage, with ``mail_domain`` also for one from another domain, and MessageState for any other message.
    """
    return _cancel(_lock_scheduled(workspace, uid, mail_domain), actor, now)


@transaction.atomic
def reschedule_message(
    *, workspace: Workspace, uid: UUID, at: datetime, actor: Actor, now: datetime, mail_domain: str = ""
) -> Message:
    """Have a message that waits for its time go at another one, at once where that is past. Raises what
    ``cancel_scheduled`` raises.
    """
    message = _lock_scheduled(workspace, uid, mail_domain)
    before = message.scheduled_at
    message.scheduled_at, message.next_attempt_at = at, max(at, now)
    message.save(update_fields=["scheduled_at", "next_attempt_at"])
    record = AuditRecord(
        "message.rescheduled",
        "message",
        message.pk,
        before={"scheduled_at": before.isoformat() if before else None},
        after={"scheduled_at": at.isoformat()},
    )
    events.record_act(workspace=workspace, actor=actor, act=record, now=now, data={"message": str(message.uid)})
    notify(NOTIFY_QUEUE)
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


def _cancel(message: Message, actor: Actor, now: datetime) -> Message:
    before = message.status
    message.status, message.next_attempt_at = MessageStatus.CANCELLED, None
    message.save(update_fields=["status", "next_attempt_at"])
    DeliveryEvent.objects.create(
        key=f"{EventType.CANCELLED}:{message.pk}",
        workspace_id=message.workspace_id,
        message_id=message.pk,
        contact_id=message.contact_id,
        batch_id=message.batch_id,
        type=EventType.CANCELLED,
        at=now,
    )
    tell_messages(workspace_ids={message.workspace_id}, message_ids=[message.pk], now=now)
    _record("message.cancelled", message, before, actor, now)
    return message


def _lock_scheduled(workspace: Workspace, uid: UUID, mail_domain: str) -> Message:
    """Return a message that nobody took yet of those that were to go at a time of their own."""
    rows = Message.objects.select_for_update(of=("self",)).select_related("workspace", "sender")
    message = rows.filter(workspace=workspace, uid=uid).first()
    if message is None or (mail_domain and from_domain(message=message) != mail_domain):
        raise NoSuchMessage("There is no such message in this workspace.")
    if not is_scheduled(message=message):
        raise MessageState("Only a message that waits for its time can be changed.", status=message.status)
    return message


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


@transaction.atomic
def export_messages(
    *, workspace: Workspace, search: MessageSearch, most: int, actor: Actor, now: datetime
) -> list[Message]:
    """Return the newest messages that are like that, ``most`` at most, for a file; who took it out is written down."""
    found = list(iter_found(workspace=workspace, search=search, most=most))
    record = AuditRecord("message.exported", "message", after={"rows": len(found)})
    events.record_act(workspace=workspace, actor=actor, act=record, now=now)
    return found
