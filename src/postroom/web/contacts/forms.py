"""What a person may say about a contact."""

from django import forms

from postroom.core.contacts.types import ConsentState, ContactChanges, MemberStatus, NewContact
from postroom.web.shared.forms import HouseForm


class ContactForm(HouseForm):
    """Who somebody is. The core decides whether an address is good and whether a name is enough."""

    email = forms.CharField(label="E-mail address", max_length=254, required=False)
    first_name = forms.CharField(label="First name", max_length=200, required=False)
    last_name = forms.CharField(label="Last name", max_length=200, required=False)
    company = forms.CharField(label="Company", max_length=200, required=False)
    phone = forms.CharField(label="Phone", max_length=40, required=False, help_text="With the country code: +44 20 …")
    language = forms.CharField(label="Language", max_length=20, required=False, help_text="A code such as en or de-AT.")

    def to_new(self) -> NewContact:
        """Return the person to store."""
        return NewContact(**{**self.cleaned_data, "email": self.cleaned_data["email"] or None})

    def to_changes(self) -> ContactChanges:
        """Return the fields to change, which is all of them."""
        return ContactChanges(**{**self.cleaned_data, "email": self.cleaned_data["email"] or None})


class TagForm(HouseForm):
    """A tag to put on, or take off, a person."""

    name = forms.CharField(label="Tag", max_length=100)
    is_removal = forms.BooleanField(required=False)


class MembershipForm(HouseForm):
    """A person's state on one list."""

    list_id = forms.IntegerField()
    status = forms.ChoiceField(choices=MemberStatus.choices)


class ConsentForm(HouseForm):
    """A person's word on one category, as told to a colleague."""

    category_id = forms.IntegerField()
    state = forms.ChoiceField(choices=ConsentState.choices)
