"""What a person says about a list."""

from django import forms

from postroom.core.contacts.types import ListTerms
from postroom.web.shared.forms import HouseForm


class NewListForm(HouseForm):
    """A new list."""

    name = forms.CharField(label="Name", max_length=200)
    is_double_opt_in = forms.BooleanField(
        label="Ask people to confirm by mail (double opt-in)",
        required=False,
        help_text="Nobody gets its mail before they said yes themselves.",
    )


class ListForm(HouseForm):
    """What a list is called and how people come onto it."""

    name = forms.CharField(label="Name", max_length=200)
    description = forms.CharField(
        label="Description", max_length=500, required=False, help_text="Readers see it in the preference centre."
    )
    is_public = forms.BooleanField(
        label="Public", required=False, help_text="Offered to every contact in the preference centre."
    )
    is_double_opt_in = forms.BooleanField(
        label="Ask people to confirm by mail (double opt-in)",
        required=False,
        help_text="For whoever is put on it from now on. Who is on it already stays.",
    )
    confirm_subject = forms.CharField(label="Subject of that mail", max_length=200, required=False)
    confirm_text = forms.CharField(
        label="Its text",
        max_length=2_000,
        required=False,
        help_text="Plain text; the button and how long the link is good come by themselves. Empty: our words.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @property
    def terms(self) -> ListTerms:
        """What was said, as the core has it; for a valid form."""
        return ListTerms(**self.cleaned_data)


class AskForm(forms.Form):
    """Whom to ask once more; nobody named: everybody who was never asked."""

    contact_uid = forms.UUIDField(required=False)
