"""The part of the composer that tries out other words."""

from typing import TYPE_CHECKING, Any, Final

from django import forms

from postroom.core.campaigns.rules import LETTERS
from postroom.core.campaigns.types import Metric, TrialPlan, Words
from postroom.web.shared.forms import HouseForm

if TYPE_CHECKING:
    from django.forms import BoundField

    from postroom.core.campaigns.models import Campaign

TEXTS: Final = ("subject", "preheader", "sender_name", "body")
SHARES: Final = (10, 20, 30, 50, 100)
WAITS: Final = (
    (60, "after an hour"),
    (120, "after 2 hours"),
    (240, "after 4 hours"),
    (480, "after 8 hours"),
    (1440, "after a day"),
    (2880, "after 2 days"),
    ("", "when I choose it"),
)


class VariantFields(HouseForm):
    """Up to four variants beside the campaign's own words, and how they are tried out."""

    def add_variants(self) -> None:
        """Ask for the variants; every text may stay empty."""
        for letter in LETTERS[1:]:
            self.add_question(f"{letter}_subject", _line("Subject", 998))
            self.add_question(f"{letter}_preheader", _line("Preview line", 300))
            self.add_question(f"{letter}_sender_name", _line("Under the name", 200))
            area = forms.Textarea(attrs={"rows": 6, "class": "form-control code"})
            self.add_question(f"{letter}_body", forms.CharField(label="Body", required=False, strip=False, widget=area))
        shares = [(share, f"{share} % of them" if share < 100 else "Everybody, in equal parts") for share in SHARES]
        self.add_question("percent", forms.TypedChoiceField(label="Try on", choices=shares, coerce=int))
        self.add_question("metric", forms.ChoiceField(label="The winner is what most people", choices=_METRICS))
        wait = forms.TypedChoiceField(
            label="The rest gets the winner", choices=WAITS, coerce=int, empty_value=None, required=False
        )
        self.add_question("wait_minutes", wait)
        hint = "Sooner, once so many people of the sample have done it. Left empty, the time decides."
        wanted = forms.IntegerField(label="Or after so many people", min_value=1, required=False, help_text=hint)
        self.add_question("wanted_count", wanted)
        for name in ("percent", "metric", "wait_minutes"):
            self.fields[name].required = False

    @property
    def variants(self) -> list[dict[str, Any]]:
        """The variants as the page shows them: the letter, its fields, and whether anything is said in them."""
        return [{"letter": letter, **self._shown(letter)} for letter in LETTERS[1:]]

    @property
    def has_variants(self) -> bool:
        """Whether any variant says anything, or was refused."""
        return any(one["is_used"] for one in self.variants)

    def to_variants(self) -> tuple[Words, ...]:
        """Return the variants that say anything as the core takes them."""
        said = ({name: self.cleaned_data.get(f"{letter}_{name}") or "" for name in TEXTS} for letter in LETTERS[1:])
        return tuple(Words(**one) for one in said if any(text.strip() for text in one.values()))

    def to_trial(self) -> TrialPlan:
        """Return how they are tried out as the core takes it."""
        said, usual = self.cleaned_data, TrialPlan()
        return TrialPlan(
            percent=said.get("percent") or usual.percent,
            metric=Metric(said.get("metric") or usual.metric),
            wait_minutes=said.get("wait_minutes"),
            wanted_count=said.get("wanted_count"),
        )

    def _shown(self, letter: str) -> dict[str, Any]:
        fields: list[BoundField] = [self[f"{letter}_{name}"] for name in TEXTS]
        return {"fields": fields, "is_used": any(field.value() or field.errors for field in fields)}


_METRICS: Final = ((Metric.OPENS, "open"), (Metric.CLICKS, "click in"))


def describe_variants(campaign: "Campaign") -> dict[str, object]:
    """Return what the composer shows of a draft's variants at first."""
    plan = getattr(campaign, "trial", None) or TrialPlan()
    wait = "" if plan.wait_minutes is None else plan.wait_minutes
    shown: dict[str, object] = {"percent": plan.percent, "metric": plan.metric, "wait_minutes": wait}
    shown["wanted_count"] = plan.wanted_count
    for row in campaign.variants.all():
        shown.update({f"{row.letter}_{name}": getattr(row, name) for name in TEXTS})
    return shown


def _line(label: str, longest: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=longest, required=False)
