"""What a person says about a list."""

import re
from dataclasses import asdict, replace

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
    """What a list is called, and what mail to it may speak of."""

    name = forms.CharField(label="Name", max_length=200)
    emoji = forms.CharField(label="Emoji", max_length=20, required=False, help_text="Shown before the name.")
    description = forms.CharField(
        label="Description", max_length=500, required=False, help_text="Readers see it in the preference centre."
    )
    is_public = forms.BooleanField(
        label="Public", required=False, help_text="Offered to every contact in the preference centre."
    )
    variables = forms.CharField(
        label="Variables",
        max_length=11_000,
        required=False,
        help_text="Properties of its people that campaigns may speak of, separated by commas: letters, digits and"
        " underscores, as in company, plan_2.",
    )

    @classmethod
    def about(cls, terms: ListTerms, data: object = None) -> "ListForm":
        """Return the form that shows ``terms``."""
        return cls(data, initial={**asdict(terms), "variables": ", ".join(terms.variables)})

    def clean_variables(self) -> tuple[str, ...]:
        """Return the names."""
        return tuple(filter(None, re.split(r"[\s,;]+", self.cleaned_data["variables"])))

    def change(self, terms: ListTerms) -> ListTerms:
        """Return the terms with what was said; for a valid form."""
        return replace(terms, **self.cleaned_data)


class ConfirmForm(HouseForm):
    """How people come onto a list, and the mail that asks them."""

    is_double_opt_in = forms.BooleanField(
        label="Ask people to confirm by mail (double opt-in)",
        required=False,
        help_text="For whoever is put on it from now on. Who is on it already stays.",
    )
    confirm_from = forms.CharField(
        label="From",
        max_length=600,
        required=False,
        help_text="As News <hello@example.com>, at a domain this workspace sends for. Empty: its first sender account.",
    )
    confirm_subject = forms.CharField(label="Subject of that mail", max_length=200, required=False)
    confirm_text = forms.CharField(
        label="Its text",
        max_length=2_000,
        required=False,
        help_text="Plain text; the button and how long the link is good come by themselves. Empty: our words.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    confirm_document = forms.CharField(
        label="Or all of it as an editor document",
        max_length=500_000,
        required=False,
        help_text="JSON, as programs send it in doubleOptInContent; it stands for the text above. It needs a link to"
        " {{doubleOptInUrl}}, and may speak of {{email}}, {{firstName}} and {{lastName}}.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    @classmethod
    def about(cls, terms: ListTerms, data: object = None) -> "ConfirmForm":
        """Return the form that shows ``terms``."""
        return cls(data, initial=asdict(terms))

    def change(self, terms: ListTerms) -> ListTerms:
        """Return the terms with what was said; for a valid form."""
        return replace(terms, **self.cleaned_data)


class AskForm(forms.Form):
    """Whom to ask once more; nobody named: everybody who was never asked."""

    contact_uid = forms.UUIDField(required=False)
