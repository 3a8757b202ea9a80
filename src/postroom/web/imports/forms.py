"""What a person says about a file: which one it is, and which column goes where."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.contacts.types import CsvSample, ImportMapping, NewField
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.contacts.models import Field, List

_TARGETS: Final = (
    ("email", "E-mail address"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("company", "Company"),
    ("phone", "Phone"),
    ("language", "Language"),
    ("timezone", "Time zone"),
    ("tags", "Tags"),
)


class UploadForm(HouseForm):
    """The file itself."""

    file = forms.FileField(
        label="CSV file",
        help_text="With a line of headings. Any usual delimiter and encoding is understood.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )


class MappingForm(HouseForm):
    """One choice for each column, and what all the people of the file get."""

    list_id = forms.TypedChoiceField(
        label="Put everybody on a list", required=False, coerce=int, empty_value=None, choices=()
    )
    new_list = forms.CharField(label="… or on a new list named", max_length=200, required=False)
    tags = forms.CharField(
        label="Tag everybody with", max_length=500, required=False, help_text="Several tags are separated by commas."
    )

    def __init__(self, data: object, *, sample: CsvSample, fields: Iterable["Field"], lists: Sequence["List"]) -> None:
        self.sample = sample
        super().__init__(data)
        list_field = self.fields["list_id"]
        assert isinstance(list_field, forms.TypedChoiceField)
        list_field.choices = [("", "No list"), *((one.pk, one.name) for one in lists)]
        choices = _column_choices(fields, sample.new_fields)
        for number, header in enumerate(sample.headers):
            column = forms.ChoiceField(label=header, choices=choices, required=False)
            column.initial = sample.suggested.get(header, "")
            column.widget.attrs["class"] = "form-select"
            self.fields[f"column_{number}"] = column

    def columns(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Return each column's choice with the first values found in it."""
        return [(self[f"column_{n}"], self._values(n)) for n in range(len(self.sample.headers))]

    def to_mapping(self) -> ImportMapping:
        """Return the mapping as the core takes it."""
        chosen = {header: self.cleaned_data[f"column_{n}"] for n, header in enumerate(self.sample.headers)}
        return ImportMapping(
            columns={header: target for header, target in chosen.items() if target},
            tags=tuple(tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()),
            list_id=self.cleaned_data["list_id"],
            new_list=self.cleaned_data["new_list"],
        )

    def _values(self, column: int) -> list[str]:
        cells = (row[column] for row in self.sample.rows if column < len(row))
        return [cell for cell in cells if cell.strip()][:3]


def _column_choices(fields: Iterable["Field"], new_fields: Iterable[NewField]) -> list[tuple[str, object]]:
    return [
        ("", "Leave out"),
        ("About the person", list(_TARGETS)),
        ("Your fields", [(f"custom.{field.key}", field.label) for field in fields]),
        ("New fields", [(f"custom.{new.key}", f"{new.label} (new, {new.type.value})") for new in new_fields]),
    ]
