"""What a person says about addresses that must not be mailed."""

from typing import Final

from django import forms

from postroom.core.contacts import rules
from postroom.core.contacts.types import NewSuppression, SuppressionReason, SuppressionScope
from postroom.web.shared.forms import HouseForm

MAX_PASTED: Final = 10_000
_SHOWN: Final = 5
_SCOPES: Final = (
    (SuppressionScope.WORKSPACE, "For this workspace"),
    (SuppressionScope.ORGANIZATION, "For the whole organization"),
)
_REASONS: Final = (
    (SuppressionReason.MANUAL, "Entered by hand: no mail of any kind"),
    (SuppressionReason.UNSUBSCRIBED, "They opted out: no newsletters, but letters they cause themselves"),
    (SuppressionReason.HARD_BOUNCE, "Mail to it comes back"),
    (SuppressionReason.COMPLAINT, "They reported mail as spam"),
    (SuppressionReason.BANNED, "Banned"),
)


class _ReachForm(HouseForm):
    """How far it reaches and why; the organization is for its administrators alone."""

    scope = forms.ChoiceField(label="How far", choices=_SCOPES, initial=SuppressionScope.WORKSPACE)
    reason = forms.ChoiceField(label="Why", choices=_REASONS, initial=SuppressionReason.MANUAL)

    def __init__(self, *args: object, reaches_organization: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if not reaches_organization:
            self.fields["scope"].choices = _SCOPES[:1]  # type: ignore[attr-defined]


class AddForm(_ReachForm):
    """Addresses typed or pasted, one or many."""

    addresses = forms.CharField(
        label="Addresses",
        max_length=2_000_000,
        help_text="One to a line, or parted by commas.",
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )
    detail = forms.CharField(label="Note", max_length=1000, required=False, help_text="Seen by your team alone.")

    field_order = ("addresses", "scope", "reason", "detail")

    def clean_addresses(self) -> list[str]:
        """Refuse the whole when a part is no address, so that nothing is half-done."""
        good, bad = rules.read_addresses(str(self.cleaned_data["addresses"]))
        if bad:
            more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
            raise forms.ValidationError(f"These are no addresses: {', '.join(one[:80] for one in bad[:_SHOWN])}{more}.")
        if not good:
            raise forms.ValidationError("There is no address here.")
        if len(good) > MAX_PASTED:
            raise forms.ValidationError(f"At most {MAX_PASTED:,} at once; for more, read in a file.")
        return good

    def entries(self) -> list[NewSuppression]:
        """What was said, as the core has it; for a valid form."""
        said = self.cleaned_data
        reason = SuppressionReason(said["reason"])
        return [NewSuppression(address, reason, said["detail"]) for address in said["addresses"]]


class FileForm(_ReachForm):
    """A file of addresses; its own columns say more than the form."""

    file = forms.FileField(
        label="CSV file or Excel workbook (.xlsx)",
        help_text="A column of addresses; columns called scope, reason, detail and suppressed_at are read too.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain"}),
    )

    field_order = ("file", "scope", "reason")


class LiftForm(HouseForm):
    """Why a suppression is taken back, and that one knows what that means."""

    note = forms.CharField(label="Why is it lifted?", max_length=500)
    is_confirmed = forms.BooleanField(label="I know what this address was suppressed for", required=False)


class FilterForm(forms.Form):
    """What the table is narrowed to; nonsense narrows nothing."""

    q = forms.CharField(required=False, max_length=320)
    scope = forms.TypedChoiceField(
        required=False, coerce=SuppressionScope, empty_value=None, choices=[("", "Every scope"), *_SCOPES]
    )
    reason = forms.TypedChoiceField(
        required=False,
        coerce=SuppressionReason,
        empty_value=None,
        choices=[("", "Every reason"), *((one.value, one.value) for one in SuppressionReason)],
    )

    @property
    def said(self) -> dict[str, object]:
        """Search, scope and reason as far as they make sense."""
        self.is_valid()
        found = self.cleaned_data
        return {"search": found.get("q") or "", "scope": found.get("scope"), "reason": found.get("reason")}
