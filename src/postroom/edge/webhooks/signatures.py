"""Telling a provider's webhook from a forged one, each provider in its own way."""

import base64
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate

from postroom.core.mail.types import Provider, WebhookAccount
from postroom.kit.errors import NotPermitted
from postroom.providers.esp import read_form

SVIX_WINDOW: Final = timedelta(minutes=5)
TOKEN_WINDOW: Final = timedelta(hours=24)
"""Mailgun and SendGrid go on for up to a day; a token that is used again within it is found in our own table."""

_SNS_HOST: Final = re.compile(r"sns\.[a-z0-9-]{2,30}\.amazonaws\.com(\.cn)?\Z")
_SNS_FIELDS: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class Forged(NotPermitted):
    """This does not come from the account's provider."""

    code = "webhook_forged"


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook as it came; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes
    is_inbound: bool
    now: datetime


FetchCertificate = Callable[[str], bytes]


def check_signature(account: WebhookAccount, call: Call, fetch_certificate: FetchCertificate) -> str:
    """Return the key of a genuine call, empty when the provider gives calls none. Raises Forged.

    Postmark, Brevo, Mailjet and the inbound mail of SendGrid come with a password instead: ``needs_password``.
    """
    if account.provider is Provider.SES:
        return _check_sns(account, call, fetch_certificate)
    return _CHECKS[account.provider](account, call)


def needs_password(provider: Provider, *, is_inbound: bool) -> bool:
    """Whether a provider signs nothing, so that its webhook's address holds a password."""
    return provider in (Provider.POSTMARK, Provider.BREVO, Provider.MAILJET) or (
        provider is Provider.SENDGRID and is_inbound
    )


def read_password(headers: Mapping[str, str]) -> str:
    """Return the password in Authorization (RFC 7617), empty without one."""
    scheme, _, said = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(said, validate=True).decode("ascii").partition(":")[2]
    except ValueError:
        return ""


def _check_svix(account: WebhookAccount, call: Call) -> str:
    """Resend (docs.svix.com/receiving/verifying-payloads/how-manual): HMAC over id, time and body."""
    number, at = call.headers.get("svix-id", ""), call.headers.get("svix-timestamp", "")
    _check_age(at, call.now, SVIX_WINDOW)
    try:
        secret = base64.b64decode(_secret(account, "webhook_secret").removeprefix("whsec_"))
    except ValueError as error:
        raise Forged("The signing secret of this account is not one of Resend's.") from error
    signed = f"{number}.{at}.".encode("latin-1", "replace") + call.body
    right = base64.b64encode(hmac.digest(secret, signed, "sha256"))
    said = call.headers.get("svix-signature", "").split()
    found = [one.removeprefix("v1,").encode("latin-1") for one in said if one.startswith("v1,")][:8]
    if not number or not any([hmac.compare_digest(one, right) for one in found]):
        raise Forged
    return f"svix:{number}"


def _check_mailersend(account: WebhookAccount, call: Call) -> str:
    secret = _secret(account, "inbound_secret" if call.is_inbound else "webhook_secret")
    right = hmac.new(secret.encode(), call.body, sha256).hexdigest()
    _compare(call.headers.get("signature", ""), right)
    return ""


def _check_mailgun(account: WebhookAccount, call: Call) -> str:
    """The signature covers time and token, not the body: whoever stores the call refuses a token with a new body."""
    said = _mailgun_fields(call)
    at, token = str(said.get("timestamp", "")), str(said.get("token", ""))
    signed = f"{at}{token}".encode("latin-1", "replace")
    _compare(
        str(said.get("signature", "")),
        hmac.new(_secret(account, "webhook_secret").encode(), signed, sha256).hexdigest(),
    )
    _check_age(at, call.now, TOKEN_WINDOW)
    if not 0 < len(token) <= 150 or not (token.isascii() and token.isprintable()):
        raise Forged
    return f"token:{token}"


def _mailgun_fields(call: Call) -> Mapping[str, Any]:
    content_type = call.headers.get("content-type", "")
    try:
        if content_type.startswith("application/json"):
            said = json.loads(call.body)["signature"]
            return said if isinstance(said, dict) else {}
        form = read_form(call.body, content_type)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Forged from error
    return {name: form.get(name, b"").decode("latin-1") for name in ("timestamp", "token", "signature")}


def _check_sendgrid(account: WebhookAccount, call: Call) -> str:
    """ECDSA over time and body (Event Webhook Security Features)."""
    at = call.headers.get("x-twilio-email-event-webhook-timestamp", "")
    said = call.headers.get("x-twilio-email-event-webhook-signature", "")
    stored = account.config.get("webhook_key")
    try:
        key = load_der_public_key(base64.b64decode(stored if isinstance(stored, str) else ""))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise Forged
        signature = base64.b64decode(said)
        key.verify(signature, at.encode("latin-1", "replace") + call.body, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature) as error:
        raise Forged from error
    _check_age(at, call.now, TOKEN_WINDOW)
    return ""


def _check_sns(account: WebhookAccount, call: Call, fetch_certificate: FetchCertificate) -> str:
    """Amazon SNS ("Verifying the signatures of Amazon SNS messages"): signed by a certificate of Amazon's own host,
    and of the account's own topic: anybody can have SNS sign something. Raises Unavailable without the certificate.
    """
    try:
        said = json.loads(call.body)
        kind, topic = said["Type"], said["TopicArn"]
        names = _SNS_FIELDS[kind]
        signature, url = base64.b64decode(said["Signature"]), str(said["SigningCertURL"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Forged from error
    wanted = account.config.get("topic_arn")
    if not wanted or topic != wanted:
        raise Forged("The topic is not the one that this account names.")
    check_sns_url(url, ".pem")
    text = "".join(f"{name}\n{said[name]}\n" for name in names if said.get(name) is not None)
    algorithm = hashes.SHA256() if said.get("SignatureVersion") == "2" else hashes.SHA1()
    try:
        key = load_pem_x509_certificate(fetch_certificate(url)).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise Forged
        key.verify(signature, text.encode(), padding.PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature) as error:
        raise Forged from error
    return f"sns:{said.get('MessageId', '')}"[:200]


def check_sns_url(url: str, ending: str = "") -> None:
    """Refuse an address that is not one of Amazon SNS itself. Raises Forged."""
    parts = urlsplit(url)
    is_plain = parts.scheme == "https" and parts.netloc == (parts.hostname or "")
    if not is_plain or not _SNS_HOST.match(parts.netloc) or not parts.path.endswith(ending):
        raise Forged("The address is not one of Amazon SNS.")


def _check_age(said: str, now: datetime, window: timedelta) -> None:
    if not said.isascii() or not said.isdigit() or len(said) > 12:
        raise Forged
    if abs(now.timestamp() - int(said)) > window.total_seconds():
        raise Forged("This call is too old, or from the future.")


def _secret(account: WebhookAccount, name: str) -> str:
    secret = account.credentials.get(name, "")
    if not secret:
        raise Forged("This account has no signing secret yet: nothing can be told from a forgery.")
    return secret


def _compare(said: str, right: str) -> None:
    if not hmac.compare_digest(said.encode("utf-8", "replace"), right.encode()):
        raise Forged


_CHECKS: Final[Mapping[Provider, Callable[[WebhookAccount, Call], str]]] = {
    Provider.RESEND: _check_svix,
    Provider.MAILERSEND: _check_mailersend,
    Provider.MAILGUN: _check_mailgun,
    Provider.SENDGRID: _check_sendgrid,
}
