"""The mail of somebody who was merged becomes the survivor's: the ledger, its history, and what still waits to leave.

In small steps, each of which may be repeated: a killed worker goes on where it stood.
"""

from collections.abc import Callable
from typing import Final

from django.db import connection, transaction

from postroom.core.contacts.models import Contact
from postroom.core.mail.models import Batch, Chunk, InboundMessage, Message, Recipient
from postroom.core.mail.types import BatchStatus, ChunkStatus

STEP: Final = 2_000

# Whom the person lives on in is asked at every step: they may be merged again meanwhile.
_MOVE_MESSAGES: Final = """
UPDATE mail_message m SET contact_id = a.contact_id FROM contacts_contactalias a
WHERE a.old_id = %(old)s AND m.id IN (SELECT id FROM mail_message WHERE contact_id = %(old)s LIMIT %(step)s)
"""
_MOVE_EVENTS: Final = """
UPDATE mail_deliveryevent e SET contact_id = a.contact_id
FROM (SELECT at, key FROM mail_deliveryevent WHERE contact_id = %(old)s LIMIT %(step)s) o, contacts_contactalias a
WHERE a.old_id = %(old)s AND e.at = o.at AND e.key = o.key AND e.contact_id = %(old)s
"""
_UNFINISHED: Final = (BatchStatus.FREEZING, BatchStatus.SENDING, BatchStatus.PAUSING, BatchStatus.PAUSED)


def move_mail(*, old_id: int) -> None:
    """Give the mail of the contact that once was ``old_id`` to whom they turned out to be; nothing for one who did not
    become anybody.
    """
    survivor = Contact.objects.filter(aliases__old_id=old_id, erased_at=None).first()
    if survivor is None:
        return
    if survivor.email:
        _move_recipients(old_id, survivor)
    for statement in (_MOVE_MESSAGES, _MOVE_EVENTS):
        _repeat(lambda statement=statement: _step(statement, old_id))  # type: ignore[misc]
    messages = Message.objects.filter(contact=survivor)
    InboundMessage.objects.filter(contact_id=old_id, message_id__in=messages.values("pk")).update(
        contact_id=survivor.pk
    )


def _repeat(step: Callable[[], int]) -> None:
    while step() == STEP:
        pass


def _step(statement: str, old_id: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {"old": old_id, "step": STEP})
        return int(cursor.rowcount)


def _move_recipients(old_id: int, survivor: Contact) -> None:
    """Let a campaign that has the old record alone among its frozen recipients go to the survivor, at their address.

    Who is there under both records gets it once: the old one is refused when its turn comes, as everybody who is gone.
    A chunk that a sender holds already is left alone, too.
    """
    waiting = Batch.objects.filter(status__in=_UNFINISHED, workspace__organization_id=survivor.organization_id)
    for batch_id in waiting.values_list("pk", flat=True):
        _move_recipient(batch_id, old_id, survivor)


@transaction.atomic
def _move_recipient(batch_id: int, old_id: int, survivor: Contact) -> None:
    recipient = Recipient.objects.filter(batch_id=batch_id, contact_id=old_id, fence="").first()
    if recipient is None or recipient.chunk_number is None:
        return
    if Recipient.objects.filter(batch_id=batch_id, contact_id=survivor.pk).exists():
        return
    chunks = Chunk.objects.select_for_update().filter(batch_id=batch_id, number=recipient.chunk_number)
    if chunks.filter(status=ChunkStatus.QUEUED).exists() and not Message.objects.filter(pk=recipient.pk).exists():
        Recipient.objects.filter(pk=recipient.pk).update(contact_id=survivor.pk, email=survivor.email)
