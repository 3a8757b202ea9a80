"""What a person says about a webhook."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.webhooks import selectors as webhooks
from postroom.core.webhooks.rules.signing import LONGEST, SHORTEST
from postroom.core.webhooks.types import CallStatus, EndpointTerms
from postroom.core.workspaces.types import Door
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from postroom.core.webhooks.models import Endpoint

GROUPS: Final = (("email", "Mail"), ("contact", "People"), ("member", "People on lists"), ("domain", "Domains"))
_SINCE: Final = (("1", "the last hour"), ("24", "the last day"), ("168", "the last week"), ("720", "the last 30 days"))


class WebhookForm(HouseForm):
    """Where a webhook is, and what it hears: no tick in a group of boxes means everything."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="We POST JSON there. It answers 2xx within ten seconds; everything else is tried again.",
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label="Description",
        max_length=200,
        required=False,
        help_text="For yourselves: what takes the calls.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: object, *, door: str, domains: Sequence[str], initial: object = None) -> None:
        super().__init__(data, initial=initial)
        self._door = door
        names = webhooks.event_names(door)
        for group, label in GROUPS:
            if choices := [(name, _say(name)) for name in names if name.startswith(f"{group}.")]:
                self.add_question(f"{group}_events", _boxes(label, choices))
        if domains:
            self.add_question("mail_domains", _boxes("Only for mail from", [(name, name) for name in domains]))

    @property
    def event_fields(self) -> Iterator[forms.BoundField]:
        """The questions about events, group by group."""
        for group, _ in GROUPS:
            if f"{group}_events" in self.fields:
                yield self[f"{group}_events"]

    def to_terms(self) -> EndpointTerms:
        """Return the answers as the core takes them."""
        said = self.cleaned_data
        events = [name for group, _ in GROUPS for name in said.get(f"{group}_events", ())]
        return EndpointTerms(
            url=said["url"],
            description=said["description"],
            event_types=tuple(events),
            mail_domains=tuple(said.get("mail_domains", ())),
        )


class NewWebhookForm(WebhookForm):
    """A webhook to add, with a secret of one's own if wanted."""

    def __init__(self, data: object, *, door: str, domains: Sequence[str]) -> None:
        super().__init__(data, door=door, domains=domains)
        self.add_question("secret", secret_field())


class SecretForm(HouseForm):
    """The next secret."""

    secret = forms.CharField(required=False)

    def __init__(self, data: object) -> None:
        super().__init__(data)
        self.add_question("secret", secret_field())


class ReplayForm(HouseForm):
    """Since when failed calls are made again."""

    hours = forms.TypedChoiceField(label="What failed in", choices=_SINCE, coerce=int, initial="24")

    @property
    def back(self) -> timedelta:
        """How far back."""
        return timedelta(hours=self.cleaned_data["hours"])


class LogForm(HouseForm):
    """Which calls to look at."""

    status = forms.ChoiceField(required=False, choices=[("", "Every state"), *CallStatus.choices])
    type = forms.ChoiceField(required=False)
    before = forms.CharField(required=False, max_length=36)

    def __init__(self, data: object, *, endpoint: "Endpoint") -> None:
        super().__init__(data)
        self.add_question("type", forms.ChoiceField(required=False, choices=_types(endpoint)))


def choose_door(word: str | None) -> str:
    """Return the door whose dialect was asked for; useSend's unless another one is meant."""
    known = {door for door, _ in webhooks.door_names()}
    return word if word in known else Door.USESEND.value


def secret_field() -> forms.CharField:
    """Return the question for a secret of one's own."""
    return forms.CharField(
        label="Secret of your own",
        required=False,
        min_length=SHORTEST,
        max_length=LONGEST,
        help_text=f"At least {SHORTEST} characters. Leave it empty and a good one is made.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def _types(endpoint: "Endpoint") -> list[tuple[str, str]]:
    return [("", "Every event"), *((core, word) for core, word in webhooks.event_words(endpoint.door))]


def _boxes(label: str, choices: Sequence[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, choices=list(choices), widget=forms.CheckboxSelectMultiple
    )


def _say(name: str) -> str:
    return name.partition(".")[2].replace("_", " ").capitalize()
