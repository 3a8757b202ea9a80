"""Mail the system itself writes: links that somebody asked for, a few per address and hour and no more."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction

from postroom.core.mail.models import NoticeSent, SenderAccount
from postroom.core.mail.rules.notices import NOTICE, notice_slots
from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.senders import ensure_sandbox_sender
from postroom.core.mail.types import AcceptedMessage, Channel, MessageClass, NewMessage, Notice, Provider
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto

MAX_PER_HOUR: Final = 5
_WINDOW: Final = timedelta(hours=1)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

log = structlog.get_logger(__name__)


@transaction.atomic
def send_notice(
    *,
    workspace: Workspace,
    to: str,
    notice: Notice,
    idempotency_key: str,
    now: datetime,
    contact_id: int | None = None,
) -> AcceptedMessage | None:
    """Have a notice sent through the workspace's default sender; the same key again answers with the same message.

    Return None when the address has had ``MAX_PER_HOUR`` notices within the hour, whoever asked for them: nothing is
    sent then. To an erased or suppressed address nothing leaves: the message is kept as ``suppressed``. Raises
    BadAddress, and NoSuchContact for a person of another workspace.
    """
    if not take_turn(to, now):
        log.warning("notice_braked", workspace_id=workspace.pk)
        return None
    message = NewMessage(
        sender_id=_default_sender(workspace, now).pk,
        message_class=MessageClass.SYSTEM,
        to=(to,),
        composition=NOTICE,
        slots=notice_slots(notice),
        contact_id=contact_id,
        idempotency_key=idempotency_key,
    )
    [accepted] = accept_messages(workspace=workspace, messages=[message], actor=SYSTEM, now=now)
    return accepted


def forget_notices(*, now: datetime) -> None:
    """Delete what no longer counts. Safe to repeat."""
    NoticeSent.objects.filter(at__lte=now - _WINDOW).delete()


def take_turn(to: str, now: datetime) -> bool:
    """Count a mail of the system's own to an address, unless its hour is full; two at once take turns."""
    address_hash = crypto.address_hash(to)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"notice {address_hash.hex()}"])
    sent = NoticeSent.objects.filter(address_hash=address_hash, at__gt=now - _WINDOW)
    if sent.count() >= MAX_PER_HOUR:
        return False
    NoticeSent.objects.create(address_hash=address_hash, at=now)
    return True


def _default_sender(workspace: Workspace, now: datetime) -> SenderAccount:
    """The oldest account that reaches the world; the sandbox for a workspace that has none."""
    accounts = SenderAccount.objects.filter(workspace=workspace, channel=Channel.EMAIL, is_active=True)
    found = accounts.exclude(provider=Provider.SANDBOX).order_by("pk").first()
    return found or ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=now)
