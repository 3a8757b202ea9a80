"""What a person says when they ask for their data."""

from django import forms

from postroom.core.contacts.types import PrivacyRequestKind


class AskForm(forms.Form):
    """An address and a wish; whatever they are, the answer is the same."""

    email = forms.CharField(max_length=320)
    kind = forms.ChoiceField(choices=PrivacyRequestKind.choices)
