"""What a person may say about a contact."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.forms import BoundField

from postroom.core.contacts.types import (
    ConsentState,
    ContactChanges,
    FieldType,
    InteractionType,
    MemberStatus,
    NewContact,
    NewInteraction,
)
from postroom.kit.types import UNSET, JSONValue
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from postroom.core.contacts.models import Contact, Field

LINES: Final = ("email", "first_name", "last_name", "company", "phone", "language", "timezone")
_PREFIX: Final = "custom-"
_YES_NO: Final = (("", "–"), ("true", "Yes"), ("false", "No"))


class ContactForm(HouseForm):
    """Who somebody is, with a question for each custom field of the workspace. The core decides whether an address is
    good, whether a name is enough and whether a value fits; only what was changed is said to it.
    """

    email = forms.CharField(label="E-mail address", max_length=254, required=False)
    first_name = forms.CharField(label="First name", max_length=200, required=False)
    last_name = forms.CharField(label="Last name", max_length=200, required=False)
    company = forms.CharField(label="Company", max_length=200, required=False)
    phone = forms.CharField(label="Phone", max_length=40, required=False, help_text="With the country code: +44 20 …")
    language = forms.CharField(label="Language", max_length=20, required=False, help_text="A code such as en or de-AT.")
    timezone = forms.CharField(label="Time zone", max_length=64, required=False, help_text="Such as Europe/London.")

    def __init__(self, data: Any = None, *, fields: "Iterable[Field]" = (), contact: "Contact | None" = None) -> None:
        self._fields = list(fields)
        known = contact.custom if contact else {}
        initial = {name: getattr(contact, name) or "" for name in LINES} if contact else {}
        initial |= {_PREFIX + field.key: _shown(field, known.get(field.key)) for field in self._fields}
        super().__init__(data, initial=initial)
        for field in self._fields:
            self.add_question(_PREFIX + field.key, _question(field, known.get(field.key)))

    @property
    def custom_questions(self) -> list[BoundField]:
        """The questions for custom fields, to be shown."""
        return [self[_PREFIX + field.key] for field in self._fields]

    def to_new(self) -> NewContact:
        """Return the person to store."""
        lines: dict[str, Any] = {name: self.cleaned_data[name] for name in LINES}
        custom = {key: value for key, value in self._custom().items() if value not in ("", [])}
        return NewContact(**{**lines, "email": lines["email"] or None, "custom": custom})

    def to_changes(self) -> ContactChanges:
        """Return what was changed."""
        lines: dict[str, Any] = {name: self.cleaned_data[name] for name in LINES if name in self.changed_data}
        if "email" in lines:
            lines["email"] = lines["email"] or None
        changed = {key: value for key, value in self._custom().items() if _PREFIX + key in self.changed_data}
        return ContactChanges(**lines, custom=changed or UNSET)

    def _custom(self) -> Mapping[str, JSONValue]:
        return {field.key: self.cleaned_data[_PREFIX + field.key] for field in self._fields}


def _question(field: "Field", value: JSONValue) -> forms.Field:
    """Return the question for a custom field; a value that is no option any more may stay what it is."""
    common: dict[str, Any] = {"label": field.label, "required": False, "help_text": field.description}
    present = [str(one) for one in (value if isinstance(value, list) else [value]) if one not in (None, "")]
    choices = [(option, option) for option in dict.fromkeys([*field.options, *present])]
    if field.type == FieldType.BOOLEAN:
        return forms.ChoiceField(choices=_YES_NO, **common)
    if field.type == FieldType.SELECT and field.options:
        return forms.ChoiceField(choices=[("", "–"), *choices], **common)
    if field.type == FieldType.MULTISELECT and field.options:
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
    if field.type == FieldType.MULTISELECT:
        common["help_text"] = field.description or "Several are separated by a semicolon."
    return forms.CharField(max_length=10_000, widget=_widget(field), **common)


def _widget(field: "Field") -> forms.Widget:
    if field.type == FieldType.DATE:
        return forms.DateInput(attrs={"type": "date"})
    if field.type == FieldType.NUMBER:
        return forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.Textarea(attrs={"rows": 2}) if field.type == FieldType.TEXT else forms.TextInput()


def _shown(field: "Field", value: JSONValue) -> object:
    """Return a stored value as its question shows it."""
    if value is None:
        return [] if field.type == FieldType.MULTISELECT and field.options else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.type == FieldType.MULTISELECT and field.options:
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


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


class CompanyPlaceForm(HouseForm):
    """A company to put a person into, or to take them out of."""

    account = forms.UUIDField(label="Company")
    role = forms.CharField(label="Role", max_length=80, required=False)
    is_removal = forms.BooleanField(required=False)


class NoteForm(HouseForm):
    """A note, a call, a meeting: what passed between a person and the team."""

    type = forms.ChoiceField(label="What", choices=InteractionType.choices)
    subject = forms.CharField(label="Subject", max_length=500, required=False)
    body = forms.CharField(label="Text", max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    occurred_at = forms.DateTimeField(
        label="When",
        required=False,
        help_text="Empty: now.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    is_private = forms.BooleanField(label="Only I see it", required=False)

    def to_new(self) -> NewInteraction:
        """Return what to write down."""
        said = self.cleaned_data
        return NewInteraction(
            type=InteractionType(said["type"]),
            subject=said["subject"],
            body=said["body"],
            occurred_at=said["occurred_at"],
            is_team_visible=not said["is_private"],
        )
