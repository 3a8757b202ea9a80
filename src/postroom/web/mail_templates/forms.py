"""What an author says of a template, and the example values that it is looked at with."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail.types import BodyFormat, Composition
from postroom.kit.types import JSONObject, JSONValue
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.mail.models import Template

VALUE: Final = "value."
"""What the names of the example values' fields begin with."""
LONGEST_VALUE: Final = 1000
FORMATS: Final = ((BodyFormat.MJML, "MJML"), (BodyFormat.HTML, "HTML"))


class NewTemplateForm(HouseForm):
    """A template to start writing."""

    name = forms.CharField(label="Name", max_length=200, help_text="Only your colleagues see it.")


class WordsForm(HouseForm):
    """What a template says, however far it is."""

    subject = forms.CharField(label="Subject", max_length=998, required=False)
    body_format = forms.ChoiceField(label="Written in", choices=FORMATS)
    body = forms.CharField(
        label="Body", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "true"})
    )
    text = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
        help_text="For programs that show no HTML. Left empty, it is made from the body.",
    )

    def to_composition(self) -> Composition:
        """Return the words as the core takes them."""
        said = self.cleaned_data
        return Composition(
            subject=said["subject"],
            body=said["body"],
            body_format=BodyFormat(said["body_format"]),
            text=said["text"],
        )


class TemplateForm(WordsForm):
    """All of a template."""

    name = forms.CharField(label="Name", max_length=200)

    field_order = ("name", "subject", "body_format", "body", "text")

    def __init__(self, data: object, *, template: "Template") -> None:
        names = ("name", "subject", "body_format", "body", "text")
        super().__init__(data, initial={name: getattr(template, name) for name in names})
        for name in ("body", "text"):
            self.fields[name].widget.attrs["class"] = "form-control code"
        self.fields["subject"].required = True


class TestForm(HouseForm):
    """Where a test goes."""

    to = forms.EmailField(label="Send a test to")


def read_values(posted: Mapping[str, str]) -> JSONObject:
    """Return the example values of a request as a template sees them: ``value.order.number`` is within ``order``."""
    values: JSONObject = {}
    for field, text in posted.items():
        path = field.removeprefix(VALUE).split(".")
        if field.startswith(VALUE) and text and all(path):
            _put(values, path, text[:LONGEST_VALUE])
    return values


def _put(values: JSONObject, path: list[str], text: str) -> None:
    *folders, last = path
    place: dict[str, JSONValue] = values
    for name in folders:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        place = inner
    place.setdefault(last, text)


def example_values(variables: Iterable[str]) -> dict[str, JSONValue]:
    """Return what a program sends along, empty yet, for the example of a call."""
    return {name.partition(".")[0].partition("[")[0]: "" for name in variables}
