"""What each provider needs to know of an account, and what it promises about sending the same message twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from postroom.core.mail.errors import BadSender
from postroom.core.mail.types import Provider
from postroom.kit.types import JSONValue

HTTP_CONNECTIONS: Final = 32
"""The most calls an account may make at once."""

_KEY_MARGIN_S: Final = 300.0
_KEY_LIFETIMES: Final = {Provider.RESEND: 24 * 3600.0, Provider.BREVO: 30 * 60.0}
_BATCHES: Final = {Provider.RESEND: 100, Provider.POSTMARK: 500, Provider.MAILJET: 50}
_BATCH_DEFAULTS: Final = {Provider.POSTMARK: 50, Provider.MAILJET: 50}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to ask for. Secrets are kept encrypted and never shown; ``choices`` are (value, label) pairs."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = False
    is_required: bool = True
    choices: tuple[tuple[str, str], ...] = ()


def _secret(name: str, label: str, help: str, *, is_required: bool = True) -> Setting:
    return Setting(name, label, help, is_secret=True, is_required=is_required)


_EVENTS_LATER: Final = "You get it when you add the webhook below at the provider; until then its events are refused."
_PLACES: Final = (("us", "United States"), ("eu", "European Union"))

SETTINGS: Final[Mapping[Provider, tuple[Setting, ...]]] = {
    Provider.RESEND: (
        _secret("api_key", "API key", "Resend, API Keys. Permission: Sending access. Begins with re_."),
        _secret("webhook_secret", "Webhook signing secret", f"Begins with whsec_. {_EVENTS_LATER}", is_required=False),
    ),
    Provider.MAILERSEND: (
        _secret("api_token", "API token", "MailerSend, Integrations, API tokens. Scope: Email, full access."),
        _secret("webhook_secret", "Webhook signing secret", _EVENTS_LATER, is_required=False),
        _secret("inbound_secret", "Inbound route secret", "Only if answers come in by MailerSend.", is_required=False),
        Setting(
            "plain_headers",
            "Plan",
            "MailerSend takes header fields of our own, one-click unsubscribing among them, on Enterprise plans only.",
            is_required=False,
            choices=(("", "Enterprise"), ("yes", "Smaller: send the unsubscribe link alone")),
        ),
    ),
    Provider.SES: (
        Setting("access_key_id", "Access key ID", "IAM user with ses:SendEmail and nothing else. Begins with AKIA."),
        _secret("secret_access_key", "Secret access key", "Shown once when the access key is made."),
        Setting("region", "Region", "Such as eu-central-1: where your identity is verified."),
        Setting("configuration_set", "Configuration set", "Its event destination is an SNS topic.", is_required=False),
        Setting("topic_arn", "SNS topic", "Begins with arn:aws:sns:. Only its events are believed.", is_required=False),
    ),
    Provider.POSTMARK: (
        _secret("server_token", "Server API token", "Postmark, your server, API Tokens."),
        Setting("message_stream", "Message stream", "Such as outbound or broadcast.", is_required=False),
    ),
    Provider.MAILGUN: (
        _secret("api_key", "Sending key", "Mailgun, Sending, Domain settings, Sending keys."),
        Setting("domain", "Domain at Mailgun", "Such as mg.example.com."),
        Setting("region", "Region", choices=_PLACES),
        _secret("webhook_secret", "HTTP webhook signing key", "Mailgun, API security.", is_required=False),
    ),
    Provider.SENDGRID: (
        _secret("api_key", "API key", "SendGrid, Settings, API Keys. Restricted access: Mail Send. Begins with SG."),
        Setting("region", "Region", choices=(("global", "Global"), ("eu", "European Union"))),
        Setting("webhook_key", "Webhook verification key", f"Public key. {_EVENTS_LATER}", is_required=False),
    ),
    Provider.BREVO: (_secret("api_key", "API key", "Brevo, SMTP & API, API keys. Begins with xkeysib-."),),
    Provider.MAILJET: (
        _secret("api_key", "API key", "Mailjet, Account settings, REST API."),
        _secret("secret_key", "Secret key", "Beside the API key."),
    ),
}
"""What to ask for, by provider; those that are not here (SMTP, sandbox, echo) speak for themselves."""


def is_http(provider: str) -> bool:
    """Whether a provider is reached over HTTP: it signs, delivers and reports by itself."""
    return provider in SETTINGS


def check_provider(provider: Provider, config: Mapping[str, JSONValue], credentials: Mapping[str, str]) -> None:
    """Refuse an account of an HTTP provider that lacks something. Raises BadSender."""
    for setting in SETTINGS[provider]:
        value = (credentials if setting.is_secret else config).get(setting.name, "")
        if not isinstance(value, str) or any(not " " < character < "\x7f" for character in value):
            raise BadSender(f"{setting.label} has characters that none has.", field=setting.name)
        if setting.is_required and not value:
            raise BadSender(f"{Provider(provider).label} needs: {setting.label}.", field=setting.name)
        if value and setting.choices and value not in dict(setting.choices):
            raise BadSender(f"{setting.label} cannot be {value!r}.", field=setting.name)
    batch_size(provider, config)
    connections(config)


def batch_size(provider: str, config: Mapping[str, JSONValue]) -> int:
    """Return how many messages may go in one call. Raises BadSender.

    Resend's default is one: its key then stands for a message, and doubt after a crash is settled exactly.
    """
    known = Provider(provider)
    most = _BATCHES.get(known, 1)
    return _whole(config, "batch_size", _BATCH_DEFAULTS.get(known, 1), most)


def connections(config: Mapping[str, JSONValue]) -> int:
    """Return how many calls an account makes at once. Raises BadSender."""
    return _whole(config, "max_connections", 4, HTTP_CONNECTIONS)


def key_lifetime_s(provider: str, config: Mapping[str, JSONValue]) -> float:
    """Return for how many seconds after a hand-over the provider takes a message with the same Message-ID for the same
    message (its idempotency key); 0 where it never does, or where a key stands for a batch.

    Resend keeps keys for 24 hours, Brevo for 30 minutes; a margin is left for clocks and queues.
    """
    lifetime = _KEY_LIFETIMES.get(Provider(provider), 0.0)
    return lifetime - _KEY_MARGIN_S if lifetime and batch_size(provider, config) == 1 else 0.0


def _whole(config: Mapping[str, JSONValue], name: str, default: int, most: int) -> int:
    value = config.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise BadSender(f"{name} must be a whole number from 1 to {most}.", field=name)
    return value


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Where at a provider our addresses are pasted: for events, and for mail that comes in (empty: not that way)."""

    events: str
    inbound: str = ""


WEBHOOKS: Final[Mapping[str, Webhooks]] = {
    Provider.RESEND: Webhooks("Resend, Webhooks, Add webhook. Choose all events that begin with email."),
    Provider.MAILERSEND: Webhooks(
        "MailerSend, your domain, Webhooks. Choose delivered, soft and hard bounced, spam complaint, unsubscribed.",
        "MailerSend, Inbound, a route that posts to this address.",
    ),
    Provider.SES: Webhooks(
        "SNS, your topic, Create subscription, protocol HTTPS. It confirms itself. The configuration set publishes "
        "deliveries, bounces, complaints and delays to this topic.",
        "SES, Email receiving, a rule with an SNS action and this address as the topic's subscription.",
    ),
    Provider.POSTMARK: Webhooks(
        "Postmark, your message stream, Webhooks. Choose delivery, bounce, spam complaint and subscription change.",
        "Postmark, your inbound stream, Settings. Switch on: Include raw email content in JSON payload.",
    ),
    Provider.MAILGUN: Webhooks(
        "Mailgun, Sending, Webhooks. The same address for every kind of event.",
        "Mailgun, Receiving, a route that forwards to this address.",
    ),
    Provider.SENDGRID: Webhooks(
        "SendGrid, Settings, Mail Settings, Event Webhook. Switch on the signed webhook and paste its key above.",
        "SendGrid, Settings, Inbound Parse. Switch on: POST the raw, full MIME message.",
    ),
    Provider.BREVO: Webhooks("Brevo, Transactional, Settings, Webhook. Choose all events but clicks and opens."),
    Provider.MAILJET: Webhooks("Mailjet, Account settings, Event notifications. All but open and click."),
}
"""By provider, what its webhooks need."""
