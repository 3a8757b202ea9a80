"""What a person says about a company."""

from django import forms

from postroom.core.contacts.types import AccountDetails
from postroom.web.shared.forms import HouseForm


class CompanyForm(HouseForm):
    """A company: its name, and the domain of its people's addresses."""

    name = forms.CharField(label="Name", max_length=200)
    domain = forms.CharField(
        label="Domain", max_length=300, required=False, help_text="Of their addresses, such as example.com."
    )
    plan = forms.CharField(label="Plan", max_length=80, required=False)
    notes = forms.CharField(label="Notes", max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 4}))
    is_active = forms.BooleanField(label="Active", required=False, initial=True)

    def to_details(self) -> AccountDetails:
        """Return what to store."""
        return AccountDetails(**self.cleaned_data)
