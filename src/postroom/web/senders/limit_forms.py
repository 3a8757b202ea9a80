"""What an administrator says about how fast mail may leave, and when."""

from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.limit_terms import name_destination
from postroom.core.mail.types import Destination, NewLimit, Per, WindowZone
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.mail.models import Limit
    from postroom.core.workspaces.models import Workspace

_DAYS: Final = (
    (1, "Monday"),
    (2, "Tuesday"),
    (3, "Wednesday"),
    (4, "Thursday"),
    (5, "Friday"),
    (6, "Saturday"),
    (7, "Sunday"),
)
_PER: Final = ((Per.MINUTE, "a minute"), (Per.HOUR, "an hour"), (Per.DAY, "a day"))
_ZONES: Final = ((WindowZone.WORKSPACE, "this workspace's time"), (WindowZone.RECIPIENT, "the recipient's time"))
_ONE_DOMAIN: Final = "domain"


class LimitForm(HouseForm):
    """At most so many, to whom, from whom, and when."""

    most = forms.IntegerField(label="At most", min_value=1, required=False, help_text="Empty: as many as go.")
    per = forms.ChoiceField(label="Messages", choices=_PER, initial=Per.HOUR)
    sent_by = forms.ChoiceField(label="Counts the mail of", required=False)
    destination = forms.ChoiceField(label="Sent to", required=False)
    one_domain = forms.CharField(
        label="The domain", max_length=253, required=False, help_text="Only for “one domain”, such as example.com."
    )
    days = forms.TypedMultipleChoiceField(
        label="On", coerce=int, choices=_DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    opens_at = forms.TimeField(label="From", required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    closes_at = forms.TimeField(label="Until", required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    zone = forms.ChoiceField(label="By the clock of", choices=_ZONES, initial=WindowZone.WORKSPACE)

    def __init__(self, data: object, *, workspace: "Workspace", limit: "Limit | None" = None) -> None:
        super().__init__(data, initial=_known(limit))
        senders = ((f"sender-{one.pk}", one.name) for one in mail.list_senders(workspace=workspace))
        domains = ((f"domain-{one.pk}", f"all of {one.name}") for one in mail.list_domains(workspace=workspace))
        _choices(self.fields["sent_by"], [("", "the whole workspace"), *senders, *domains])
        providers = ((word.value, name_destination(word)) for word in Destination)
        _choices(self.fields["destination"], [("", "anywhere"), *providers, (_ONE_DOMAIN, "one domain")])

    def clean(self) -> dict[str, object]:
        """Ask which domain is meant."""
        said: dict[str, object] = super().clean() or self.cleaned_data
        if said.get("destination") == _ONE_DOMAIN and not said.get("one_domain"):
            self.add_error("one_domain", "Say which domain.")
        return said

    def to_new(self) -> NewLimit:
        """Return the limit as the core takes it."""
        said = self.cleaned_data
        kind, _, number = said["sent_by"].partition("-")
        to = said["one_domain"] if said["destination"] == _ONE_DOMAIN else said["destination"]
        return NewLimit(
            sender_id=int(number) if kind == "sender" else None,
            domain_id=int(number) if kind == "domain" else None,
            destination=to,
            most=said["most"],
            per=Per(said["per"]),
            days=tuple(said["days"]),
            opens_at=said["opens_at"],
            closes_at=said["closes_at"],
            zone=WindowZone(said["zone"]),
        )


def _known(limit: "Limit | None") -> dict[str, object]:
    if limit is None:
        return {}
    is_word = not limit.destination or limit.destination in Destination.values
    plain = {name: getattr(limit, name) for name in ("most", "per", "days", "opens_at", "closes_at", "zone")}
    return {
        **plain,
        "sent_by": _sent_by(limit),
        "destination": limit.destination if is_word else _ONE_DOMAIN,
        "one_domain": "" if is_word else limit.destination,
    }


def _sent_by(limit: "Limit") -> str:
    if limit.sender_id is not None:
        return f"sender-{limit.sender_id}"
    return f"domain-{limit.domain_id}" if limit.domain_id is not None else ""


def _choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
