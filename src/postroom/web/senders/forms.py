"""What an administrator says about a sender account."""

from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail import selectors as mail
from postroom.core.mail.types import NewSender, Provider
from postroom.kit.types import JSONObject
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace

_SECURITY: Final = (
    ("starttls", "STARTTLS (usual with port 587)"),
    ("tls", "TLS from the start (port 465)"),
    ("none", "None"),
)


class SmtpSenderForm(HouseForm):
    """An address and the SMTP server that carries its mail."""

    name = forms.CharField(label="Name", max_length=200, help_text="Only your colleagues see it.")
    from_name = forms.CharField(label="Readers see the name", max_length=200, required=False)
    from_email = forms.CharField(label="Readers see the address", max_length=254)
    reply_to = forms.CharField(label="Answers go to", max_length=254, required=False, help_text="Empty: to Postroom.")
    domain_id = forms.TypedChoiceField(
        label="Sign for the domain", coerce=int, empty_value=None, required=False, help_text="Adds DKIM signatures."
    )
    host = forms.CharField(label="Server", max_length=253)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=587)
    security = forms.ChoiceField(label="Security", choices=_SECURITY)
    username = forms.CharField(label="User name", max_length=254, required=False)
    password = forms.CharField(
        label="Password",
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown again.",
    )
    daily_limit = forms.IntegerField(label="At most a day", min_value=1, required=False, help_text="Messages, in UTC.")

    def __init__(self, data: object, *, workspace: "Workspace") -> None:
        super().__init__(data)
        domains = self.fields["domain_id"]
        assert isinstance(domains, forms.TypedChoiceField)
        known = [(one.pk, one.name) for one in mail.list_domains(workspace=workspace)]
        domains.choices = [("", "Do not sign"), *known]

    def to_new(self) -> NewSender:
        """Return the account as the core takes it."""
        said = self.cleaned_data
        config: JSONObject = {name: said[name] for name in ("host", "port", "security")}
        credentials = {name: said[name] for name in ("username", "password") if said[name]}
        plain = {
            name: said[name] for name in ("name", "from_name", "from_email", "reply_to", "domain_id", "daily_limit")
        }
        return NewSender(**plain, provider=Provider.SMTP, config=config, credentials=credentials)
