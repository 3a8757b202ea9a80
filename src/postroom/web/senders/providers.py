"""The part of a sender's form that depends on who carries its mail."""

from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail.rules.providers import SETTINGS, Setting
from postroom.core.mail.types import Provider
from postroom.kit.types import JSONObject
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.mail.models import SenderAccount

NAMES: Final = {
    Provider.SMTP: "SMTP server",
    Provider.RESEND: "Resend",
    Provider.MAILERSEND: "MailerSend",
    Provider.SES: "Amazon SES",
    Provider.POSTMARK: "Postmark",
    Provider.MAILGUN: "Mailgun",
    Provider.SENDGRID: "SendGrid",
    Provider.BREVO: "Brevo",
    Provider.MAILJET: "Mailjet",
}
"""Whom a person may choose; the sandbox has a button of its own, and the echo is for programs."""

_SECURITY: Final = (
    ("starttls", "STARTTLS (usual with port 587)"),
    ("tls", "TLS from the start (port 465)"),
    ("opportunistic", "STARTTLS if offered, whoever answers"),
    ("none", "None"),
)
_KEPT: Final = "Kept encrypted and never shown."
_STAYS: Final = "Empty: stays as it is."


def add_settings(form: HouseForm, *, provider: str, sender: "SenderAccount | None") -> None:
    """Ask for what a provider needs to know; secrets that are known already may be left empty."""
    if provider == Provider.SMTP:
        _add_server(form, sender)
    for setting in SETTINGS.get(Provider(provider), ()):
        form.add_question(setting.name, _field(setting, sender))


def read_settings(form: HouseForm, *, provider: str) -> tuple[JSONObject, dict[str, str]]:
    """Return what was said: settings that anybody may see, and secrets, those only that were given."""
    said = form.cleaned_data
    if provider == Provider.SMTP:
        config: JSONObject = {name: said[name] for name in ("host", "port", "security")}
        if said["max_connections"]:
            config["max_connections"] = said["max_connections"]
        return config, {name: said[name] for name in ("username", "password") if said[name]}
    settings = SETTINGS.get(Provider(provider), ())
    open_ones: JSONObject = {one.name: said[one.name] for one in settings if not one.is_secret and said[one.name]}
    return open_ones, {one.name: said[one.name] for one in settings if one.is_secret and said[one.name]}


def _field(setting: Setting, sender: "SenderAccount | None") -> forms.Field:
    if setting.is_secret:
        is_known = sender is not None and bool(sender.credentials)
        return _secret(setting.label, setting.help, is_required=setting.is_required and not is_known, is_known=is_known)
    initial = sender.config.get(setting.name, "") if sender else ""
    if setting.choices:
        return forms.ChoiceField(label=setting.label, choices=setting.choices, initial=initial, help_text=setting.help)
    return forms.CharField(
        label=setting.label,
        required=setting.is_required,
        max_length=300,
        initial=initial,
        help_text=setting.help,
    )


def _secret(label: str, help_text: str, *, is_required: bool, is_known: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=is_required,
        max_length=4000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(filter(None, (help_text, _STAYS if is_known else _KEPT))),
    )


def _add_server(form: HouseForm, sender: "SenderAccount | None") -> None:
    config = sender.config if sender else {}
    is_known = sender is not None and bool(sender.credentials)
    fields: dict[str, forms.Field] = {
        "host": forms.CharField(label="Server", max_length=253, initial=config.get("host")),
        "port": forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=config.get("port", 587)),
        "security": forms.ChoiceField(label="Security", choices=_SECURITY, initial=config.get("security", "starttls")),
        "max_connections": forms.IntegerField(
            label="Connections at once",
            min_value=1,
            max_value=256,
            required=False,
            initial=config.get("max_connections"),
            help_text="Empty: as many as are usual.",
        ),
        "username": forms.CharField(
            label="User name", max_length=254, required=False, help_text=_STAYS if is_known else ""
        ),
        "password": _secret("Password", "", is_required=False, is_known=is_known),
    }
    for name, field in fields.items():
        form.add_question(name, field)
