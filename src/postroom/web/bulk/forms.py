"""What a person says of a bulk change: one form for each kind."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django import forms

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import BulkAction, BulkKind
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace


class BulkForm(HouseForm):
    """A change that needs something said; ``kind`` says which it is."""

    kind: BulkKind

    def offer(self, workspace: "Workspace") -> None:
        """Fill in what the workspace has to choose from."""

    def to_action(self) -> BulkAction:
        """Return the change as the core takes it."""
        return BulkAction(self.kind, self.to_params())

    def to_params(self) -> Mapping[str, Any]:
        """Return what was said by the names the core has for it."""
        return self.cleaned_data


class TagForm(BulkForm):
    """A tag to put on; a new one is made."""

    tag = forms.CharField(
        label="Tag",
        max_length=100,
        help_text="An existing tag, or a new one.",
        widget=forms.TextInput(attrs={"list": "tags", "autocomplete": "off"}),
    )


class UntagForm(BulkForm):
    """A tag to take off."""

    tag = forms.ChoiceField(label="Tag")

    def offer(self, workspace: "Workspace") -> None:
        """Offer the tags there are."""
        names = [one.name for one in contacts.list_tags(workspace=workspace)]
        self.fields["tag"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


class ListForm(BulkForm):
    """A list to put on or take off."""

    list_id = forms.TypedChoiceField(label="List", coerce=int)

    def offer(self, workspace: "Workspace") -> None:
        """Offer the lists there are."""
        lists = contacts.list_lists(workspace=workspace)
        self.fields["list_id"].choices = [(one.pk, one.name) for one in lists]  # type: ignore[attr-defined]


class ClearForm(BulkForm):
    """A custom field to empty."""

    field = forms.ChoiceField(label="Field")

    def offer(self, workspace: "Workspace") -> None:
        """Offer the custom fields there are."""
        fields = contacts.list_fields(workspace=workspace)
        self.fields["field"].choices = [(one.key, one.label) for one in fields]  # type: ignore[attr-defined]


class FieldForm(ClearForm):
    """A custom field and the value everybody gets; the core decides whether it fits."""

    value = forms.CharField(
        label="Value", max_length=10_000, help_text="A date as 2026-03-31; several choices with ; between them."
    )


class DeleteForm(BulkForm):
    """How many people are to go, typed by hand."""

    count = forms.CharField(label="Type the number of people to delete", max_length=20)

    def to_params(self) -> Mapping[str, Any]:
        """Return the number; anything else deletes nobody."""
        typed = self.cleaned_data["count"].replace(",", "").replace(" ", "")
        return {"count": int(typed) if typed.isascii() and typed.isdigit() else None}


FORMS: Final[dict[BulkKind, type[BulkForm]]] = {
    BulkKind.TAG: TagForm,
    BulkKind.UNTAG: UntagForm,
    BulkKind.SUBSCRIBE: ListForm,
    BulkKind.UNSUBSCRIBE: ListForm,
    BulkKind.SET_FIELD: FieldForm,
    BulkKind.CLEAR_FIELD: ClearForm,
    BulkKind.DELETE: DeleteForm,
}


def make_form(kind: BulkKind, data: object, workspace: "Workspace") -> BulkForm:
    """Return the form of a kind of change, with what the workspace offers."""
    form = FORMS[kind](data)
    form.kind = kind
    form.offer(workspace)
    return form
