"""What people say about a sending domain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail.types import DomainTerms, Signing
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.mail.models import SenderAccount

_SIGNING: Final = (
    (Signing.RSA.value, "RSA: what every receiver reads"),
    (Signing.BOTH.value, "RSA and Ed25519: two signatures on each mail"),
    (Signing.ED25519.value, "Ed25519 alone: quicker, and not yet read everywhere"),
    (Signing.NONE.value, "None: the server that carries the mail signs it"),
)


class NewDomainForm(HouseForm):
    """A domain to send from."""

    name = forms.CharField(
        label="Domain",
        max_length=253,
        help_text="The part behind the @ of your sender addresses, such as news.example.com.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )


class TermsForm(HouseForm):
    """How a domain's mail is signed, and what is measured."""

    signing = forms.ChoiceField(label="Signatures", choices=_SIGNING)
    tracks_opens = forms.BooleanField(label="Measure opens", required=False)
    tracks_clicks = forms.BooleanField(label="Measure clicks", required=False)

    def to_terms(self) -> DomainTerms:
        """Return the answers as the core takes them."""
        said = self.cleaned_data
        return DomainTerms(Signing(said["signing"]), said["tracks_opens"], said["tracks_clicks"])


class TestForm(HouseForm):
    """Where a test mail goes, and by which account."""

    __test__ = False

    sender_id = forms.TypedChoiceField(label="By the sender", coerce=int)
    to = forms.CharField(label="To", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def __init__(self, data: object, *, senders: Sequence["SenderAccount"], to: str = "") -> None:
        super().__init__(data, initial={"to": to})
        field = self.fields["sender_id"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(one.pk, one.name) for one in senders]
