"""Webhooks as the providers send them: bodies of their documented shapes, signed as they sign."""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from postroom.core.mail.types import Provider

TOPIC = "arn:aws:sns:eu-central-1:123456789012:postroom"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two octets!!!").decode()
SIGNED = ("resend", "mailersend", "mailgun", "sendgrid", "ses")
KEYED = ("postmark", "brevo", "mailjet")

NEEDED: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "resend": ({}, {"api_key": "good-key", "webhook_secret": SECRET}),
    "mailersend": ({}, {"api_token": "t", "webhook_secret": SECRET, "inbound_secret": "inbound" + SECRET}),
    "ses": (
        {"access_key_id": "AKIA", "region": "eu-central-1", "topic_arn": TOPIC},
        {"secret_access_key": "s"},
    ),
    "postmark": ({}, {"server_token": "t"}),
    "mailgun": ({"domain": "mg.example.com", "region": "us"}, {"api_key": "k", "webhook_secret": SECRET}),
    "sendgrid": ({"region": "global"}, {"api_key": "SG.1"}),
    "brevo": ({}, {"api_key": "good-key"}),
    "mailjet": ({}, {"api_key": "k", "secret_key": "s"}),
}
"""What an account of each provider is made of: settings and secrets."""


@dataclass
class Webhook:
    """One request, to be changed by whoever forges."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@cache
def elliptic_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def amazon_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(amazon_key().public_key())
    made = made.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return made.sign(amazon_key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def settings_of(provider: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return settings and secrets of an account whose webhooks can be verified."""
    config, credentials = (dict(part) for part in NEEDED[provider])
    if provider == "sendgrid":
        octets = (
            elliptic_key()
            .public_key()
            .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        config["webhook_key"] = base64.b64encode(octets).decode()
    return config, credentials


def event_of(provider: str, number: int, what: str = "bounced", *, serial: str = "e1", at: float | None = None) -> Any:
    """Return an event (bounced, delivered or complained) about message ``number``, as the provider words it."""
    at = time.time() if at is None else at
    moment = datetime.fromtimestamp(at, UTC)
    address = f"p{number}@people.example"
    return _EVENTS[provider](str(number), what, serial, at, moment, address)


def sign(
    provider: str, body: bytes, *, password: str = "", at: float | None = None, token: str = "", **changes: Any
) -> Webhook:
    """Return the request that the provider would send with ``body``; ``changes`` go into what is signed with."""
    at = time.time() if at is None else at
    return _SIGNERS[provider](body, at=at, password=password, token=token or os.urandom(25).hex(), **changes)


def webhook_of(provider: str, said: Any, **options: Any) -> Webhook:
    """Return a signed request that says ``said``."""
    at = options.pop("at", None) or time.time()
    if provider == "mailgun":
        token = options.pop("token", "") or os.urandom(25).hex()
        return _mailgun(said, at=at, token=token, secret=options.get("secret", SECRET))
    if provider == "ses":
        return _sns(said, at=at, **options)
    return sign(provider, json.dumps(said).encode(), at=at, **options)


def _svix(body: bytes, *, at: float, secret: str = SECRET, serial: str = "", **_: Any) -> Webhook:
    serial, stamp = serial or f"msg_{os.urandom(8).hex()}", str(int(at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = base64.b64encode(hmac.digest(key, f"{serial}.{stamp}.".encode() + body, "sha256")).decode()
    return Webhook(body, {"svix-id": serial, "svix-timestamp": stamp, "svix-signature": f"v1,{made}"})


def _mailersend(body: bytes, *, secret: str = SECRET, **_: Any) -> Webhook:
    return Webhook(body, {"signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()})


def _sendgrid(body: bytes, *, at: float, key: ec.EllipticCurvePrivateKey | None = None, **_: Any) -> Webhook:
    stamp = str(int(at))
    made = (key or elliptic_key()).sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Webhook(
        body,
        {
            "x-twilio-email-event-webhook-timestamp": stamp,
            "x-twilio-email-event-webhook-signature": base64.b64encode(made).decode(),
        },
    )


def _basic(body: bytes, *, password: str, **_: Any) -> Webhook:
    return Webhook(body, {"authorization": "Basic " + base64.b64encode(f"postroom:{password}".encode()).decode()})


def signature_block(at: float, token: str, secret: str = SECRET) -> dict[str, str]:
    """Return what Mailgun signs with: a time and a token, and not the body."""
    stamp = str(int(at))
    made = hmac.new(secret.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"timestamp": stamp, "token": token, "signature": made}


def _mailgun(said: Any, *, at: float, token: str, secret: str = SECRET) -> Webhook:
    body = json.dumps({"signature": signature_block(at, token, secret), "event-data": said}).encode()
    return Webhook(body, {"content-type": "application/json"})


def _sns(
    said: Any, *, at: float, topic: str = TOPIC, url: str = CERTIFICATE_URL, kind: str = "Notification", **_: Any
) -> Webhook:
    serial = said.pop("_serial") if isinstance(said, dict) and "_serial" in said else os.urandom(8).hex()
    made: dict[str, Any] = {
        "Type": kind,
        "MessageId": serial,
        "TopicArn": topic,
        "Message": said if isinstance(said, str) else json.dumps(said),
        "Timestamp": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "SignatureVersion": "2",
        "SigningCertURL": url,
    }
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    text = "".join(f"{name}\n{made[name]}\n" for name in names)
    signature = amazon_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    made["Signature"] = base64.b64encode(signature).decode()
    return Webhook(json.dumps(made).encode(), {"x-amz-sns-message-type": kind})


_SIGNERS: Mapping[str, Any] = {
    "resend": _svix,
    "mailersend": _mailersend,
    "sendgrid": _sendgrid,
    **dict.fromkeys(KEYED, _basic),
}


def _resend_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    data = {"email_id": f"id-{number}", "to": [address], "tags": {"postroom": number}, "created_at": moment.isoformat()}
    if what == "bounced":
        data["bounce"] = {"type": "Permanent", "subType": "General", "message": "The mailbox does not exist."}
    return {"type": f"email.{what}", "created_at": moment.isoformat(), "data": data | {"serial": serial}}


def _postmark_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    said = {"MessageID": f"id-{number}", "Metadata": {"postroom": number}, "ServerID": 23}
    when = moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    if what == "delivered":
        return {**said, "RecordType": "Delivery", "Recipient": address, "DeliveredAt": when, "Details": serial}
    kind, code = ("Bounce", "HardBounce") if what == "bounced" else ("SpamComplaint", "SpamComplaint")
    more = {
        "ID": int(hashlib.sha256(serial.encode()).hexdigest()[:8], 16),
        "Type": code,
        "TypeCode": 1,
        "Email": address,
    }
    return {**said, **more, "RecordType": kind, "BouncedAt": when, "Details": "smtp;550 5.1.1 unknown"}


def _mailgun_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    said = {"id": serial, "timestamp": at, "recipient": address, "user-variables": {"postroom": number}}
    if what == "bounced":
        status = {"code": 550, "message": "5.1.1 no such user", "enhanced-code": "5.1.1"}
        return {**said, "event": "failed", "severity": "permanent", "reason": "bounce", "delivery-status": status}
    return {**said, "event": what}


def _sendgrid_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    event = {"bounced": "bounce", "delivered": "delivered", "complained": "spamreport"}[what]
    more = {"status": "5.1.1", "reason": "550 5.1.1 no such user", "type": "bounce"} if what == "bounced" else {}
    said = {"email": address, "timestamp": int(at), "event": event, "sg_event_id": serial, "sg_message_id": "m"}
    return [{**said, "postroom": number, **more}]


def _mailersend_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    kind = {"bounced": "hard_bounced", "delivered": "delivered", "complained": "spam_complaint"}[what]
    mail = {"message": {"id": "m"}, "recipient": {"email": address}, "tags": [f"postroom-{number}"]}
    more = {"object": "recipient_bounce", "reason": "mailbox does not exist"}
    data = {"id": serial, "type": kind, "created_at": moment.isoformat(), "email": mail, "morph": more}
    return {"type": f"activity.{kind}", "created_at": moment.isoformat(), "data": data}


def _brevo_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    event = {"bounced": "hard_bounce", "delivered": "delivered", "complained": "spam"}[what]
    custom = json.dumps({"postroom": number})
    said = {"event": event, "email": address, "ts_epoch": int(at * 1000), "message-id": f"<{serial}@relay>"}
    return {**said, "X-Mailin-custom": custom, "reason": "550 5.1.1 unknown user"}


def _mailjet_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    event = {"bounced": "bounce", "delivered": "sent", "complained": "spam"}[what]
    more = {"hard_bounce": True, "error_related_to": "recipient", "error": "user unknown"} if what == "bounced" else {}
    said = {"event": event, "time": int(at), "MessageID": serial, "email": address}
    return [{**said, "Payload": json.dumps({"postroom": number}), **more}]


def _ses_event(number: str, what: str, serial: str, at: float, moment: datetime, address: str) -> Any:
    kind = {"bounced": "Bounce", "delivered": "Delivery", "complained": "Complaint"}[what]
    mail = {"messageId": "m", "destination": [address], "tags": {"postroom": [number]}}
    person = {"emailAddress": address, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    more: dict[str, Any] = {"timestamp": moment.isoformat()}
    if what == "bounced":
        more |= {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [person]}
    elif what == "complained":
        more |= {"complainedRecipients": [{"emailAddress": address}]}
    else:
        more |= {"recipients": [address]}
    return {"eventType": kind, "mail": mail, kind.lower(): more, "_serial": serial}


_EVENTS: Mapping[str, Any] = {
    "resend": _resend_event,
    "postmark": _postmark_event,
    "mailgun": _mailgun_event,
    "sendgrid": _sendgrid_event,
    "mailersend": _mailersend_event,
    "brevo": _brevo_event,
    "mailjet": _mailjet_event,
    "ses": _ses_event,
}
assert set(_EVENTS) == set(NEEDED) == {Provider(one).value for one in NEEDED}
