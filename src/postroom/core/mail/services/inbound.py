"""Mail that comes to us: stored whole before it is acknowledged, then read for bounces, complaints and replies."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.contacts.types import SuppressionReason
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.mail import jobs
from postroom.core.mail.models import InboundMessage
from postroom.core.mail.rules import reports
from postroom.core.mail.rules.reports import InboundReading
from postroom.core.mail.selectors.addressees import Addressee, find_addressee
from postroom.core.mail.services.hits import store_hits
from postroom.core.mail.services.suppressing import suppress
from postroom.core.mail.types import EventType, Hit, InboundKind, InboundMail, RefusalKind


@transaction.atomic(durable=True)
def store_inbound(*, mail: InboundMail, now: datetime) -> list[int]:
    """Store one row per recipient of ``mail`` and defer its reading; answer the rows' keys.

    When this returns the mail is committed, so the server may say 250 (RFC 5321, section 6.1).
    """
    return keep_inbound(mail=mail, now=now)


def keep_inbound(*, mail: InboundMail, now: datetime) -> list[int]:
    """Do what ``store_inbound`` does in the caller's transaction."""
    rows = InboundMessage.objects.bulk_create(
        InboundMessage(mail_from=mail.mail_from, recipient=recipient, raw=mail.raw, received_at=now)
        for recipient in mail.recipients
    )
    for row in rows:
        jobs.defer_read_inbound(row.pk)
    return [row.pk for row in rows]


@transaction.atomic
def read_inbound(*, inbound_id: int, now: datetime) -> InboundKind:
    """Make of a stored message what it means. Safe to run twice: a processed row is left as it is."""
    row = InboundMessage.objects.select_for_update().get(pk=inbound_id)
    if row.processed_at is not None:
        return InboundKind(row.kind)
    reading = reports.read_inbound(bytes(row.raw), row.recipient)
    addressee = find_addressee(message_id=reading.message_id) if reading.message_id else None
    if addressee is not None and not addressee.email and reading.kind is not InboundKind.REPLY:
        return _count_and_forget(row, reading, addressee)
    _note(row, reading, addressee, now)
    if addressee is not None and (act := _ACTS.get(reading.kind)):
        act(row, reading, addressee)
    return reading.kind


def _note(row: InboundMessage, reading: InboundReading, addressee: Addressee | None, now: datetime) -> None:
    row.kind = reading.kind
    row.subject = reading.subject[:998]
    row.detail = {"status": reading.status, "reason": reading.reason, "refusal": reading.refusal or ""}
    row.processed_at = now
    if addressee is not None:
        row.workspace = addressee.workspace
        row.message_id = addressee.message_id
        row.contact_id = addressee.contact_id
    row.save()


def _count_and_forget(row: InboundMessage, reading: InboundReading, addressee: Addressee) -> InboundKind:
    """Count what a server says of mail to somebody erased meanwhile, and keep nothing of its words: they name them."""
    event_type = {InboundKind.BOUNCE: EventType.BOUNCED, InboundKind.COMPLAINT: EventType.COMPLAINED}.get(reading.kind)
    if event_type is not None:
        _store_hit(row, addressee, event_type, reading)
    row.delete()
    return reading.kind


def _store_hit(row: InboundMessage, addressee: Addressee, event_type: EventType, reading: InboundReading) -> None:
    hit = Hit(
        key=f"inbound-{row.uid.hex}",
        type=event_type,
        message_id=addressee.message_id,
        at=row.received_at,
        data={"status": reading.status, "reason": reading.reason, "refusal": reading.refusal or ""},
    )
    store_hits(hits=[hit])


def _suppress(row: InboundMessage, addressee: Addressee, email: str, reason: SuppressionReason, detail: str) -> None:
    suppress(workspace=addressee.workspace, email=email, reason=reason, detail=detail, now=row.received_at)


def _bounce(row: InboundMessage, reading: InboundReading, addressee: Addressee) -> None:
    _store_hit(row, addressee, EventType.BOUNCED, reading)
    email = _whose(reading, addressee)
    if email and reading.refusal is RefusalKind.BAD_ADDRESS:
        detail = f"{reading.status} {reading.reason}".strip()
        _suppress(row, addressee, email, SuppressionReason.HARD_BOUNCE, detail)


def _whose(reading: InboundReading, addressee: Addressee) -> str:
    """Return which address of the message a report is about; nobody's when it could be one of several.

    A report from behind a redirection names an address of which we know nothing, yet ours is the one that bounced.
    """
    if reading.recipient in addressee.addresses:
        return reading.recipient
    return addressee.addresses[0] if len(addressee.addresses) == 1 else ""


def _complaint(row: InboundMessage, reading: InboundReading, addressee: Addressee) -> None:
    _store_hit(row, addressee, EventType.COMPLAINED, reading)
    email = _whose(reading, addressee) or addressee.email
    _suppress(row, addressee, email, SuppressionReason.COMPLAINT, reading.reason)


def _reply(row: InboundMessage, reading: InboundReading, addressee: Addressee) -> None:
    _store_hit(row, addressee, EventType.REPLIED, reading)
    event = NewEvent(
        name="mail.reply_received",
        object_type="inbound_message",
        object_id=row.pk,
        contact_id=addressee.contact_id,
        data={"subject": row.subject, "message_id": addressee.message_id},
    )
    events.record_event(workspace=addressee.workspace, event=event, now=row.received_at)


_ACTS: Final[dict[InboundKind, Callable[[InboundMessage, InboundReading, Addressee], None]]] = {
    InboundKind.BOUNCE: _bounce,
    InboundKind.COMPLAINT: _complaint,
    InboundKind.REPLY: _reply,
}
