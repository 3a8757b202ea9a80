"""What an administrator says before a person is erased."""

from django import forms

from postroom.web.shared.forms import HouseForm


class EraseForm(HouseForm):
    """The person's address, or their name if they have none, typed out: nobody erases the wrong one by a slip."""

    confirmation = forms.CharField(max_length=400, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, data: object, *, expected: str) -> None:
        super().__init__(data)
        self._expected = expected
        self.fields["confirmation"].label = f"To confirm, type {expected}"

    def clean_confirmation(self) -> str:
        """Raise ValidationError unless it is what was asked for."""
        typed = str(self.cleaned_data["confirmation"]).strip()
        if typed.casefold() != self._expected.casefold():
            raise forms.ValidationError(f"That is not {self._expected}.")
        return typed
