"""What a person says about a new API key."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django import forms

from postroom.core.workspaces.types import KEYED_DOORS, SEND_SCOPE, Door, NewKey
from postroom.web.keys.words import DOORS
from postroom.web.shared.forms import HouseForm

_LIFETIMES: Final = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))
_ALL, _SEND = "", SEND_SCOPE


class NewKeyForm(HouseForm):
    """A key to make: what it opens, how far, and for how long."""

    name = forms.CharField(
        label="Name",
        max_length=200,
        help_text="What uses it: you find it again by this.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    door = forms.ChoiceField(
        label="It opens",
        initial=Door.USESEND,
        widget=forms.RadioSelect,
        choices=[(door, f"{DOORS[door].label}: {DOORS[door].text}") for door in KEYED_DOORS],
    )
    scope = forms.ChoiceField(
        label="It may do",
        required=False,
        initial=_ALL,
        widget=forms.RadioSelect,
        choices=[(_ALL, "Everything its maker may"), (_SEND, "Sending only: e-mails, and what became of them")],
    )
    mail_domain = forms.ChoiceField(label="It sends from", required=False)
    days = forms.ChoiceField(label="It ends", required=False, choices=_LIFETIMES)

    def __init__(self, data: object, *, domains: Sequence[str]) -> None:
        super().__init__(data)
        field = self.fields["mail_domain"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any domain"), *((name, f"{name} only") for name in domains)]

    def to_key(self, now: datetime) -> NewKey:
        """Return the answers as the core takes them; what limits sending is said of keys that send."""
        said = self.cleaned_data
        door, days = Door(said["door"]), int(said["days"] or 0)
        sends = door is Door.USESEND
        return NewKey(
            door=door,
            name=said["name"],
            scopes=(SEND_SCOPE,) if sends and said["scope"] == _SEND else (),
            mail_domain=said["mail_domain"] if sends else "",
            expires_at=now + timedelta(days=days) if days else None,
        )
