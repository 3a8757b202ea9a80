"""What an administrator says about a sender account."""

from typing import TYPE_CHECKING, Final

from django import forms

from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.brakes import LOOSEST, STRICTEST
from postroom.core.mail.rules.plans import PLANS
from postroom.core.mail.types import BrakeLevels, NewSender, Provider, SenderChanges, WarmUpPlan
from postroom.web.senders.providers import add_settings, read_settings
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postroom.core.mail.models import Domain, SenderAccount
    from postroom.core.workspaces.models import Workspace

_PLANS: Final = (
    ("careful", "Careful: 20 a day, 20 % more every day, up to 5,000"),
    ("normal", "Normal: 50 a day, 35 % more every day, up to 10,000"),
    ("fast", "Fast: 200 a day, 60 % more every day, up to 50,000"),
    ("own", "My own numbers, below"),
)


class SenderForm(HouseForm):
    """An address, and who carries its mail: an account to make, or with ``sender`` one to change."""

    name = forms.CharField(label="Name", max_length=200, help_text="Only your colleagues see it.")
    from_name = forms.CharField(label="Readers see the name", max_length=200, required=False)
    from_email = forms.CharField(label="Readers see the address", max_length=254)
    reply_to = forms.CharField(label="Answers go to", max_length=254, required=False, help_text="Empty: to Postroom.")
    domain_id = forms.TypedChoiceField(
        label="Sign for the domain", coerce=int, empty_value=None, required=False, help_text="Adds DKIM signatures."
    )

    def __init__(
        self, data: object, *, workspace: "Workspace", provider: str, sender: "SenderAccount | None" = None
    ) -> None:
        super().__init__(data, initial=_known(sender))
        self._provider = provider
        self._config = sender.config if sender else {}
        _offer(self.fields["domain_id"], "Do not sign", mail.list_domains(workspace=workspace))
        if sender is not None and sender.carrier_id is not None:
            return  # the server and what stands in for it are its carrier's
        add_settings(self, provider=provider, sender=sender)
        if sender is None:
            daily = forms.IntegerField(label="At most a day", min_value=1, required=False, help_text="Messages.")
            self.add_question("daily_limit", daily)
            return
        accounts = mail.list_senders(workspace=workspace)
        others = [one for one in accounts if one.pk != sender.pk and one.carrier_id is None]
        stand_in = forms.TypedChoiceField(
            label="While its server is down, use",
            coerce=int,
            empty_value=None,
            required=False,
            initial=sender.fallback_id,
            help_text="That account's server carries the mail; readers see the same address.",
        )
        self.add_question("fallback_id", stand_in)
        _offer(stand_in, "No other account: the mail waits", others)
        after = forms.IntegerField(label="After so many minutes", min_value=0, max_value=1440, required=False)
        self.add_question("fallback_after", after)
        after.initial = sender.fallback_after_s // 60

    def to_new(self) -> NewSender:
        """Return the account as the core takes it."""
        config, credentials = read_settings(self, provider=self._provider)
        said = self.cleaned_data
        plain = {
            name: said[name] for name in ("name", "from_name", "from_email", "reply_to", "domain_id", "daily_limit")
        }
        return NewSender(**plain, provider=Provider(self._provider), config=config, credentials=credentials)

    def to_changes(self) -> SenderChanges:
        """Return what is to change."""
        said = self.cleaned_data
        own = {name: said[name] for name in ("name", "from_name", "from_email", "reply_to", "domain_id")}
        if "fallback_id" not in self.fields:
            return SenderChanges(**own)
        config, credentials = read_settings(self, provider=self._provider)
        minutes = said["fallback_after"]
        unasked = {name: value for name, value in self._config.items() if name not in self.fields}
        return SenderChanges(
            **own,
            fallback_id=said["fallback_id"],
            config={**unasked, **config},
            credentials=credentials,
            fallback_after_s=60 * (5 if minutes is None else minutes),
        )


class WarmUpForm(HouseForm):
    """How an account grows."""

    plan = forms.ChoiceField(label="Plan", choices=_PLANS, initial="normal")
    start = forms.IntegerField(label="Messages on the first day", min_value=1, required=False)
    growth = forms.IntegerField(label="More every day, in per cent", min_value=1, max_value=200, required=False)
    target = forms.IntegerField(label="Until so many a day", min_value=1, required=False)

    def clean(self) -> dict[str, object]:
        """Ask for all three numbers of a plan of one's own."""
        said: dict[str, object] = super().clean() or self.cleaned_data
        if said.get("plan") == "own":
            for name in ("start", "growth", "target"):
                if said.get(name) is None and name not in self.errors:
                    self.add_error(name, "A plan of your own needs this number.")
        return said

    def to_plan(self) -> WarmUpPlan:
        """Return the plan as the core takes it."""
        said = self.cleaned_data
        known = PLANS.get(said["plan"])
        return known or WarmUpPlan(start=said["start"], growth=said["growth"], target=said["target"])


class BrakesForm(HouseForm):
    """When campaigns stop themselves."""

    bounces = forms.DecimalField(
        label="Bounces, %",
        min_value=STRICTEST.bounces / 100,
        max_value=LOOSEST.bounces / 100,
        decimal_places=2,
    )
    complaints = forms.DecimalField(
        label="Complaints, %",
        min_value=STRICTEST.complaints / 100,
        max_value=LOOSEST.complaints / 100,
        decimal_places=2,
    )

    def to_levels(self) -> BrakeLevels:
        """Return the levels as the core takes them."""
        return BrakeLevels(*(int(self.cleaned_data[name] * 100) for name in ("bounces", "complaints")))


class TestForm(HouseForm):
    """Where a test mail goes."""

    to = forms.CharField(label="To", max_length=254)


def _known(sender: "SenderAccount | None") -> dict[str, object]:
    if sender is None:
        return {}
    return {name: getattr(sender, name) for name in ("name", "from_name", "from_email", "reply_to", "domain_id")}


def _offer(field: forms.Field, nothing: str, things: "Sequence[Domain | SenderAccount]") -> None:
    assert isinstance(field, forms.TypedChoiceField)
    field.choices = [("", nothing), *((one.pk, one.name) for one in things)]
