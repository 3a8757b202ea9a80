"""What a person says about a custom field."""

from django import forms

from postroom.core.contacts.types import FieldChanges, FieldScope, FieldType, NewField
from postroom.web.shared.forms import HouseForm

_SCOPES = (
    (FieldScope.WORKSPACE.value, "This workspace"),
    (FieldScope.CORE.value, "Every workspace of the organization"),
    (FieldScope.GLOBAL_INTERNAL.value, "Global workspaces of the organization only"),
)


def _options_field() -> forms.CharField:
    return forms.CharField(
        label="Options",
        required=False,
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One a line, for a select or multiselect. None: any word may be said.",
    )


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


class FieldForm(HouseForm):
    """A new field."""

    label = forms.CharField(label="Label", max_length=200)
    type = forms.ChoiceField(label="Type", choices=FieldType.choices)
    scope = forms.ChoiceField(label="Seen in", choices=_SCOPES)
    options = _options_field()
    description = forms.CharField(label="Description", max_length=500, required=False)

    def to_new(self) -> NewField:
        """Return the field to define."""
        said = self.cleaned_data
        return NewField(
            label=said["label"],
            type=FieldType(said["type"]),
            scope=FieldScope(said["scope"]),
            options=_lines(said["options"]),
            description=said["description"],
        )


class FieldEditForm(HouseForm):
    """What a field is called, means and offers."""

    label = forms.CharField(label="Label", max_length=200)
    description = forms.CharField(label="Description", max_length=500, required=False)
    options = _options_field()
    keeps_values = forms.BooleanField(label="People who have an option that I take away keep it", required=False)

    def to_changes(self) -> FieldChanges:
        """Return what to say anew."""
        return FieldChanges(**{**self.cleaned_data, "options": _lines(self.cleaned_data["options"])})


class FieldTypeForm(HouseForm):
    """Another type for a field."""

    type = forms.ChoiceField(label="New type", choices=FieldType.choices)
    options = _options_field()

    @property
    def chosen(self) -> tuple[FieldType, tuple[str, ...]]:
        """The type and its options."""
        return FieldType(self.cleaned_data["type"]), _lines(self.cleaned_data["options"])


class MoveForm(forms.Form):
    """How far a field goes down, or up below zero."""

    steps = forms.IntegerField(min_value=-1000, max_value=1000)
