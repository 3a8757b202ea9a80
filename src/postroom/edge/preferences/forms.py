"""What a person says in the preference centre."""

from uuid import UUID

from django import forms

from postroom.core.contacts.types import Choices, PreferenceCard, Reach


class LinkForm(forms.Form):
    """The address whose owner wants a link; whatever it is, the answer is the same."""

    email = forms.CharField(max_length=320)


class PreferencesForm(forms.Form):
    """What a person wants of what ``card`` offers them; anything else is refused as a whole."""

    reach = forms.ChoiceField(choices=Reach.choices)
    lists = forms.TypedMultipleChoiceField(coerce=UUID, required=False)
    categories = forms.TypedMultipleChoiceField(coerce=UUID, required=False)

    def __init__(self, data: object, card: PreferenceCard) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self._offer("lists", [one.uid for one in card.lists])
        self._offer("categories", [one.uid for one in card.categories])

    def _offer(self, name: str, uids: list[UUID]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(str(uid), "") for uid in uids]

    @property
    def choices(self) -> Choices:
        """What was chosen, as the core has it; for a valid form."""
        said = self.cleaned_data
        return Choices(Reach(said["reach"]), frozenset(said["lists"]), frozenset(said["categories"]))
