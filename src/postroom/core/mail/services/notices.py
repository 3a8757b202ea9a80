"""Mail the system itself writes: links that somebody asked for, a few per address and hour and no more."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction

from postroom.core.mail.models import NoticeSent, SenderAccount
from postroom.core.mail.rules.notices import write_notice
from postroom.core.mail.selectors.sending import load_sending_rooms
from postroom.core.mail.services.accept import accept_messages
from postroom.core.mail.services.froms import FromDesk
from postroom.core.mail.services.senders import ensure_sandbox_sender
from postroom.core.mail.types import (
    AcceptedMessage,
    Channel,
    MessageClass,
    NewMessage,
    Notice,
    OwnLetter,
    Provider,
    SubmitRequest,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from postroom.kit.errors import AppError

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
    """Have a notice sent through the workspace's default sender (see ``send_own_letter``)."""
    return send_own_letter(
        workspace=workspace,
        to=to,
        letter=write_notice(notice),
        idempotency_key=idempotency_key,
        now=now,
        contact_id=contact_id,
    )


@transaction.atomic
def send_own_letter(
    *,
    workspace: Workspace,
    to: str,
    letter: OwnLetter,
    idempotency_key: str,
    now: datetime,
    contact_id: int | None = None,
) -> AcceptedMessage | None:
    """Have a mail of the system's own sent, through the account its From stands for or, where that cannot send, the
    workspace's default sender; the same key again answers with the same message.

    Return None when the address has had ``MAX_PER_HOUR`` of them within the hour, whoever asked for them: nothing is
    sent then. To an erased or suppressed address nothing leaves: the message is kept as ``suppressed``. Raises
    BadAddress, and NoSuchContact for a person of another workspace.
    """
    if not take_turn(to, now):
        log.warning("notice_braked", workspace_id=workspace.pk)
        return None
    sender_id = _find_sender(workspace, letter.from_address, now) if letter.from_address else None
    message = NewMessage(
        sender_id=sender_id or _default_sender(workspace, now).pk,
        message_class=MessageClass.SYSTEM,
        to=(to,),
        composition=letter.composition,
        slots=letter.slots,
        from_address=letter.from_address if sender_id else "",
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


def check_own_from(workspace: Workspace, from_address: str, now: datetime) -> None:
    """Refuse a From that nothing of the workspace may send as. Raises what ``FromDesk.choose`` raises."""
    _choose_sender(workspace, from_address, now)


def _find_sender(workspace: Workspace, from_address: str, now: datetime) -> int | None:
    """Return the account that a From stands for; None when its domain has been given up since it was chosen."""
    try:
        return _choose_sender(workspace, from_address, now)
    except AppError:
        log.warning("own_from_unusable", workspace_id=workspace.pk)
        return None


def _choose_sender(workspace: Workspace, from_address: str, now: datetime) -> int:
    desk = FromDesk(load_sending_rooms(workspace_ids=(workspace.pk,)), now)
    return desk.choose(SubmitRequest(workspace.pk, SYSTEM, ()), from_address).id


def _default_sender(workspace: Workspace, now: datetime) -> SenderAccount:
    """The oldest account that reaches the world; the sandbox for a workspace that has none."""
    accounts = SenderAccount.objects.filter(workspace=workspace, channel=Channel.EMAIL, is_active=True)
    found = accounts.exclude(provider=Provider.SANDBOX).order_by("pk").first()
    return found or ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=now)
