"""What providers report about mail they carried, each in its own words, as facts in ours."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from postroom.core.mail.rules.bots import shorten_ip
from postroom.core.mail.types import EventType, Provider, ProviderFact
from postroom.providers.esp.letters import NUMBER

_DELIVERED, _BOUNCED, _DEFERRED = EventType.DELIVERED, EventType.BOUNCED, EventType.DEFERRED
_OPENED, _CLICKED = EventType.OPENED, EventType.CLICKED
_COMPLAINED, _LEFT = EventType.COMPLAINED, EventType.UNSUBSCRIBED

_RESEND: Final = {
    "email.delivered": _DELIVERED,
    "email.delivery_delayed": _DEFERRED,
    "email.bounced": _BOUNCED,
    "email.failed": _BOUNCED,
    "email.suppressed": _BOUNCED,
    "email.complained": _COMPLAINED,
    "email.opened": _OPENED,
    "email.clicked": _CLICKED,
}
_POSTMARK: Final = {
    "Delivery": _DELIVERED,
    "Bounce": _BOUNCED,
    "SpamComplaint": _COMPLAINED,
    "Open": _OPENED,
    "Click": _CLICKED,
    "SubscriptionChange": _LEFT,
}
_POSTMARK_SOFT: Final = {"Transient", "DnsError", "AutoResponder", "AddressChange", "OpenRelayTest", "SoftBounce"}
_POSTMARK_DEAD: Final = {"HardBounce", "BadEmailAddress"}
_MAILGUN: Final = {
    "delivered": _DELIVERED,
    "failed": _BOUNCED,
    "rejected": _BOUNCED,
    "complained": _COMPLAINED,
    "unsubscribed": _LEFT,
    "opened": _OPENED,
    "clicked": _CLICKED,
}
_SENDGRID: Final = {
    "delivered": _DELIVERED,
    "deferred": _DEFERRED,
    "bounce": _BOUNCED,
    "dropped": _BOUNCED,
    "spamreport": _COMPLAINED,
    "unsubscribe": _LEFT,
    "group_unsubscribe": _LEFT,
    "open": _OPENED,
    "click": _CLICKED,
}
_MAILERSEND: Final = {
    "delivered": _DELIVERED,
    "soft_bounced": _DEFERRED,
    "hard_bounced": _BOUNCED,
    "spam_complaint": _COMPLAINED,
    "unsubscribed": _LEFT,
    "opened": _OPENED,
    "clicked": _CLICKED,
}
_BREVO: Final = {
    "delivered": _DELIVERED,
    "deferred": _DEFERRED,
    "soft_bounce": _DEFERRED,
    "hard_bounce": _BOUNCED,
    "invalid_email": _BOUNCED,
    "blocked": _BOUNCED,
    "error": _BOUNCED,
    "spam": _COMPLAINED,
    "complaint": _COMPLAINED,
    "unsubscribed": _LEFT,
    "unsubscribe": _LEFT,
    "opened": _OPENED,
    "unique_opened": _OPENED,
    "proxy_open": _OPENED,
    "unique_proxy_open": _OPENED,
    "click": _CLICKED,
}
_MAILJET: Final = {
    "sent": _DELIVERED,
    "bounce": _BOUNCED,
    "blocked": _BOUNCED,
    "spam": _COMPLAINED,
    "unsub": _LEFT,
    "open": _OPENED,
    "click": _CLICKED,
}
_SES: Final = {
    "Delivery": _DELIVERED,
    "DeliveryDelay": _DEFERRED,
    "Bounce": _BOUNCED,
    "Reject": _BOUNCED,
    "Complaint": _COMPLAINED,
    "Open": _OPENED,
    "Click": _CLICKED,
}


def read_report(provider: Provider, body: bytes) -> list[ProviderFact]:
    """Return what a webhook says of messages with our numbers. Raises ValueError, KeyError or TypeError for a body that
    is not as the provider documents it.
    """
    said = json.loads(body)
    return [fact for fact in _READERS[provider](said) if fact.message_id]


def mailgun_event(event: Mapping[str, Any]) -> ProviderFact | None:
    """Return what an event of Mailgun says, from a webhook or from its records."""
    event_type = _MAILGUN.get(event["event"])
    if event_type is None:
        return None
    status, is_temporary = event.get("delivery-status") or {}, event.get("severity") == "temporary"
    if event_type is _BOUNCED and is_temporary:
        event_type = _DEFERRED
    client = event.get("client-info") or {}
    return ProviderFact(
        key=f"{event['id']}:{event['timestamp']}",
        type=event_type,
        at=_from_unix(event["timestamp"]),
        message_id=_number(event.get("user-variables")),
        recipient=str(event.get("recipient") or ""),
        status=str(status.get("enhanced-code") or ""),
        reason=str(status.get("message") or status.get("description") or event.get("reason") or ""),
        is_dead=event_type is _BOUNCED and event.get("reason") in ("bounce", "suppress-bounce"),
        agent=str(client.get("user-agent") or ""),
        ip=_ip(event.get("ip")),
        url=str(event.get("url") or ""),
    )


def postmark_bounce(event: Mapping[str, Any], number: int) -> ProviderFact:
    """Return what a bounce of Postmark says, from a webhook or from its records."""
    kind = event.get("Type", "")
    event_type = _COMPLAINED if kind in ("SpamComplaint", "SpamNotification") else _BOUNCED
    return ProviderFact(
        key=f"bounce:{event['ID']}",
        type=_DEFERRED if kind in _POSTMARK_SOFT else event_type,
        at=_from_text(event["BouncedAt"]),
        message_id=number,
        recipient=str(event.get("Email") or ""),
        reason=str(event.get("Details") or event.get("Description") or kind),
        is_dead=kind in _POSTMARK_DEAD,
    )


def _resend(said: Any) -> Iterator[ProviderFact]:
    data = said["data"]
    event_type = _RESEND.get(said["type"])
    if event_type is None:
        return
    bounce, click, tags = data.get("bounce") or {}, data.get("click") or data.get("open") or {}, data.get("tags") or {}
    if isinstance(tags, list):
        tags = {one.get("name"): one.get("value") for one in tags}
    if bounce.get("type") == "Transient":
        event_type = _DEFERRED
    yield ProviderFact(
        key=_digest(said["type"], data.get("email_id"), said["created_at"], click.get("timestamp")),
        type=event_type,
        at=_from_text(said["created_at"]),
        message_id=_number(tags),
        recipient=str(next(iter(data.get("to") or ()), "")),
        reason=str(bounce.get("message") or (data.get("failed") or {}).get("reason") or ""),
        is_dead=bounce.get("type") == "Permanent" and bounce.get("subType") in ("General", "NoEmail", None),
        agent=str(click.get("userAgent") or ""),
        ip=_ip(click.get("ipAddress")),
        url=str(click.get("link") or ""),
    )


def _postmark(said: Any) -> Iterator[ProviderFact]:
    kind, number = said["RecordType"], _number(said.get("Metadata"))
    event_type = _POSTMARK.get(kind)
    if kind in ("Bounce", "SpamComplaint"):
        yield postmark_bounce(said, number)
        return
    if event_type is None or (kind == "SubscriptionChange" and not _has_left(said)):
        return
    at = said.get("DeliveredAt") or said.get("ReceivedAt") or said["ChangedAt"]
    yield ProviderFact(
        key=_digest(kind, said["MessageID"], said.get("Recipient"), at, said.get("OriginalLink")),
        type=event_type,
        at=_from_text(at),
        message_id=number,
        recipient=str(said.get("Recipient") or ""),
        reason=str(said.get("Details") or ""),
        agent=str(said.get("UserAgent") or ""),
        ip=_ip((said.get("Geo") or {}).get("IP")),
        url=str(said.get("OriginalLink") or ""),
    )


def _has_left(said: Mapping[str, Any]) -> bool:
    """Postmark tells of bounces and complaints in this way too; those it has told already."""
    return bool(said.get("SuppressSending")) and said.get("SuppressionReason") == "ManualSuppression"


def _mailgun(said: Any) -> Iterator[ProviderFact]:
    fact = mailgun_event(said["event-data"])
    if fact is not None:
        yield fact


def _sendgrid(said: Any) -> Iterator[ProviderFact]:
    for one in said:
        event_type = _SENDGRID.get(one["event"])
        if event_type is None:
            continue
        is_blocked = one["event"] == "bounce" and one.get("type") == "blocked"
        yield ProviderFact(
            key=str(one.get("sg_event_id") or _digest(one["event"], one.get("sg_message_id"), one["timestamp"])),
            type=event_type,
            at=_from_unix(one["timestamp"]),
            message_id=_number(one),
            recipient=str(one.get("email") or ""),
            status=str(one.get("status") or ""),
            reason=str(one.get("reason") or one.get("response") or ""),
            is_dead=one["event"] == "bounce" and not is_blocked,
            agent=str(one.get("useragent") or ""),
            ip=_ip(one.get("ip")) if event_type in (_OPENED, _CLICKED) else "",
            url=str(one.get("url") or ""),
        )


def _mailersend(said: Any) -> Iterator[ProviderFact]:
    data = said["data"]
    event_type = _MAILERSEND.get(data["type"])
    if event_type is None:
        return
    mail, more = data.get("email") or {}, data.get("morph") or {}
    tags = [str(tag) for tag in mail.get("tags") or ()]
    number = next((tag.removeprefix(f"{NUMBER}-") for tag in tags if tag.startswith(f"{NUMBER}-")), "")
    yield ProviderFact(
        key=str(data["id"]),
        type=event_type,
        at=_from_text(data["created_at"]),
        message_id=_number({NUMBER: number}),
        recipient=str((mail.get("recipient") or {}).get("email") or ""),
        reason=str(more.get("readable_reason") or more.get("reason") or ""),
        is_dead=event_type is _BOUNCED,
        ip=_ip(more.get("ip")),
        url=str(more.get("url") or ""),
    )


def _brevo(said: Any) -> Iterator[ProviderFact]:
    for one in said if isinstance(said, list) else [said]:
        event_type = _BREVO.get(one["event"])
        if event_type is None:
            continue
        custom = one.get("X-Mailin-custom")
        at = one["ts_epoch"]
        yield ProviderFact(
            key=_digest(one["event"], one.get("message-id"), at, one.get("link")),
            type=event_type,
            at=_from_unix(at / 1000 if at > 10**11 else at),
            message_id=_number(json.loads(custom) if custom else None),
            recipient=str(one.get("email") or ""),
            reason=str(one.get("reason") or ""),
            is_dead=one["event"] in ("hard_bounce", "invalid_email"),
            agent=str(one.get("user_agent") or ""),
            url=str(one.get("link") or ""),
        )


def _mailjet(said: Any) -> Iterator[ProviderFact]:
    for one in said if isinstance(said, list) else [said]:
        event_type = _MAILJET.get(one["event"])
        if event_type is None:
            continue
        is_soft = one["event"] == "bounce" and not one.get("hard_bounce")
        payload = one.get("Payload")
        yield ProviderFact(
            key=_digest(one["event"], one.get("MessageID"), one["time"], one.get("url"), one.get("email")),
            type=_DEFERRED if is_soft else event_type,
            at=_from_unix(one["time"]),
            message_id=_number(json.loads(payload) if payload else None),
            recipient=str(one.get("email") or ""),
            reason=str(one.get("comment") or one.get("error") or ""),
            is_dead=bool(one.get("hard_bounce")) and one.get("error_related_to") in ("recipient", None, ""),
            agent=str(one.get("agent") or ""),
            ip=_ip(one.get("ip")),
            url=str(one.get("url") or ""),
        )


def _ses(said: Any) -> Iterator[ProviderFact]:
    if said.get("Type") != "Notification" or not str(said["Message"]).startswith("{"):
        return  # a subscription, or the word that one has begun
    event = json.loads(said["Message"])
    kind = event.get("eventType") or event["notificationType"]
    event_type = _SES.get(kind)
    if event_type is None:
        return
    more = event.get(kind[0].lower() + kind[1:]) or {}
    is_soft = kind == "Bounce" and more.get("bounceType") != "Permanent"
    for recipient, details in _ses_recipients(event["mail"], more):
        yield ProviderFact(
            key=f"{said['MessageId']}:{recipient.lower()}",
            type=_DEFERRED if is_soft else event_type,
            at=_from_text(more.get("timestamp") or said["Timestamp"]),
            message_id=_number(
                {name: next(iter(values), "") for name, values in event["mail"].get("tags", {}).items()}
            ),
            recipient=recipient,
            status=str(details.get("status") or ""),
            reason=str(details.get("diagnosticCode") or more.get("reason") or more.get("bounceSubType") or ""),
            is_dead=kind == "Bounce" and not is_soft and more.get("bounceSubType") in ("General", "NoEmail"),
            agent=str(more.get("userAgent") or ""),
            ip=_ip(more.get("ipAddress")),
            url=str(more.get("link") or ""),
        )


def _ses_recipients(mail: Mapping[str, Any], more: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    told = more.get("bouncedRecipients") or more.get("complainedRecipients") or more.get("delayedRecipients")
    if told:
        return [(str(one["emailAddress"]), one) for one in told]
    return [(str(one), {}) for one in more.get("recipients") or mail.get("destination") or ()]


def _number(kept: Any) -> int:
    """Return our number in what a provider kept for us; 0 for mail that is not ours."""
    text = str(kept.get(NUMBER) or "") if isinstance(kept, Mapping) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _digest(*parts: object) -> str:
    return sha256("\0".join(str(part) for part in parts).encode("utf-8", "replace")).hexdigest()


def _from_unix(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _from_text(text: str) -> datetime:
    """Postmark writes seven digits of a second, which Python 3.11 does not read."""
    head, dot, rest = text.strip().replace("Z", "+00:00").replace(" ", "T", 1).partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        head = f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}"
    at = datetime.fromisoformat(head)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ip(said: Any) -> str:
    try:
        return shorten_ip(str(said)) if said else ""
    except ValueError:
        return ""


_READERS: Final[Mapping[Provider, Callable[[Any], Iterator[ProviderFact]]]] = {
    Provider.RESEND: _resend,
    Provider.POSTMARK: _postmark,
    Provider.MAILGUN: _mailgun,
    Provider.SENDGRID: _sendgrid,
    Provider.MAILERSEND: _mailersend,
    Provider.BREVO: _brevo,
    Provider.MAILJET: _mailjet,
    Provider.SES: _ses,
}
