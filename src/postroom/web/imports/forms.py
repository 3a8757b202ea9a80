"""What a person says about a file: which one it is, which column goes where, and what all its people get."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.contacts.types import CsvSample, ImportMapping, MemberStatus, NewField
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.contacts.models import Field, List

CONSTANTS: Final = 4
_PERSON: Final = (
    ("email", "E-mail address"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("company", "Company"),
    ("phone", "Phone"),
    ("language", "Language"),
    ("timezone", "Time zone"),
)
_STANDING: Final = (
    ("tags", "Tags, separated by semicolons"),
    ("lists", "Lists, as in News=subscribed"),
    ("consents", "Topics, as in offers=granted"),
    ("status", "Subscription status"),
    ("opted_out", "Opted out of everything (yes or no)"),
    ("suppressed", "Suppressed (the reason)"),
    ("suppression_detail", "Suppressed (the detail)"),
    ("accounts", "Accounts, separated by semicolons"),
    ("created_at", "Known since"),
)
_LIST_STATUSES: Final = (
    (MemberStatus.SUBSCRIBED.value, "Subscribed"),
    (MemberStatus.PENDING.value, "Waiting for their confirmation"),
    (MemberStatus.UNSUBSCRIBED.value, "Unsubscribed"),
)
_Group = tuple[str, Sequence[tuple[str, str]]]


class UploadForm(HouseForm):
    """The file itself."""

    file = forms.FileField(
        label="CSV file or Excel workbook (.xlsx)",
        help_text="With a line of headings. Choose it, or drop it on the field.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain"}),
    )


class MappingForm(HouseForm):
    """One choice for each column, what is filled in where a row says nothing, and what everybody in the file gets."""

    list_id = forms.TypedChoiceField(
        label="Put everybody on a list", required=False, coerce=int, empty_value=None, choices=()
    )
    new_list = forms.CharField(label="… or on a new list named", max_length=200, required=False)
    list_status = forms.ChoiceField(
        label="On the list as",
        required=False,
        choices=_LIST_STATUSES,
        help_text="Whoever left the list stays off it.",
    )
    tags = forms.CharField(
        label="Tag everybody with", max_length=500, required=False, help_text="Several tags are separated by commas."
    )
    on_known = forms.ChoiceField(
        label="People who are already here",
        required=False,
        widget=forms.RadioSelect,
        choices=(
            ("merge", "Update them: what a cell says wins, an empty cell changes nothing"),
            ("skip", "Leave their record as it is; they only get the list and the tags"),
        ),
    )
    accepts_unaddressed = forms.BooleanField(
        label="Take rows without an e-mail address, too, when they have a name: each becomes a new person",
        required=False,
    )

    def __init__(
        self,
        data: object,
        *,
        sample: CsvSample,
        fields: Iterable["Field"],
        lists: Sequence["List"],
        proposed: ImportMapping,
    ) -> None:
        self.sample = sample
        super().__init__(data)
        list_field = self.fields["list_id"]
        assert isinstance(list_field, forms.TypedChoiceField)
        list_field.choices = [("", "No list"), *((one.pk, one.name) for one in lists)]
        own = [(f"custom.{field.key}", field.label) for field in fields]
        self._list_names: dict[int | None, str] = {one.pk: one.name for one in lists}
        self._target_names = dict([*_PERSON, *_STANDING, *own])
        self._add_columns([("About the person", _PERSON), ("Where they stand", _STANDING), ("Your fields", own)])
        self._add_constants([("About the person", _PERSON[1:]), ("Where they stand", _STANDING), ("Your fields", own)])
        self._propose(proposed)

    def columns(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Return each column's choice with the first values found in it."""
        return [(self[f"column_{n}"], self._values(n)) for n in range(len(self.sample.headers))]

    def constants(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the pairs of a field and the text it gets where a row says nothing."""
        return [(self[f"constant_field_{n}"], self[f"constant_value_{n}"]) for n in range(CONSTANTS)]

    def has_constants(self) -> bool:
        """Whether anything is filled in, so that the page shows it."""
        return any(field.value() or value.value() for field, value in self.constants())

    def answers(self) -> Iterator[tuple[str, str]]:
        """Yield what was sent, by name, so that the next page can send it again."""
        return ((name, self.data[name]) for name in self.fields if name in self.data)

    def words(self) -> Iterator[str]:
        """Yield in words what the valid answers mean for everybody in the file."""
        said = self.to_mapping()
        name = said.new_list or self._list_names.get(said.list_id, "")
        if name:
            status = dict(_LIST_STATUSES)[said.list_status.value].lower()
            yield f"Everybody goes on the list “{name}” as {status}; whoever left it stays off it."
        if said.tags:
            yield f"Everybody is tagged {', '.join(said.tags)}."
        if said.on_known == "skip":
            yield "The record of people who are already here stays as it is."
        for target, value in said.constants.items():
            yield f"Where a row says nothing, {self._target_names.get(target, target)} becomes “{value}”."

    def to_mapping(self) -> ImportMapping:
        """Return the mapping as the core takes it."""
        said = self.cleaned_data
        chosen = {header: said[f"column_{n}"] for n, header in enumerate(self.sample.headers)}
        filled = {said[f"constant_field_{n}"]: said[f"constant_value_{n}"] for n in range(CONSTANTS)}
        return ImportMapping(
            columns={header: target for header, target in chosen.items() if target},
            tags=tuple(tag.strip() for tag in said["tags"].split(",") if tag.strip()),
            list_id=said["list_id"],
            new_list=said["new_list"],
            constants={target: value for target, value in filled.items() if target and value.strip()},
            on_known="skip" if said["on_known"] == "skip" else "merge",
            list_status=MemberStatus(said["list_status"] or MemberStatus.SUBSCRIBED),
            accepts_unaddressed=said["accepts_unaddressed"],
        )

    def _add_columns(self, groups: Sequence[_Group]) -> None:
        """Add a choice for each column; of the new fields each is offered its own alone, for there may be hundreds."""
        new = {f"custom.{one.key}": (f"custom.{one.key}", _name_of(one)) for one in self.sample.new_fields}
        for number, header in enumerate(self.sample.headers):
            own = new.get(self.sample.suggested.get(header, ""))
            choices = [*groups, ("New field", [own])] if own else groups
            self.fields[f"column_{number}"] = _choice(header, "Leave out", choices)

    def _add_constants(self, groups: Sequence[_Group]) -> None:
        for number in range(CONSTANTS):
            self.fields[f"constant_field_{number}"] = _choice(f"Field {number + 1}", "Nothing", groups)
            value = forms.CharField(label=f"Text for field {number + 1}", max_length=1000, required=False)
            value.widget.attrs["class"] = "form-control"
            self.fields[f"constant_value_{number}"] = value

    def _propose(self, proposed: ImportMapping) -> None:
        """Fill in how such a file is to be read, until somebody says otherwise."""
        for number, header in enumerate(self.sample.headers):
            self.initial[f"column_{number}"] = proposed.columns.get(header, "")
        for number, (target, value) in enumerate(list(proposed.constants.items())[:CONSTANTS]):
            self.initial.update({f"constant_field_{number}": target, f"constant_value_{number}": value})
        self.initial.update(
            list_id=proposed.list_id,
            tags=", ".join(proposed.tags),
            on_known=proposed.on_known,
            list_status=proposed.list_status.value,
            accepts_unaddressed=proposed.accepts_unaddressed,
        )

    def _values(self, column: int) -> list[str]:
        cells = (row[column] for row in self.sample.rows if column < len(row))
        return [cell for cell in cells if cell.strip()][:3]


def _choice(label: str, none: str, groups: Iterable[_Group]) -> forms.ChoiceField:
    field = forms.ChoiceField(label=label, choices=[("", none), *groups], required=False)
    field.widget.attrs["class"] = "form-select"
    return field


def _name_of(new: NewField) -> str:
    return f"{new.label} (new, {new.type.value})"
