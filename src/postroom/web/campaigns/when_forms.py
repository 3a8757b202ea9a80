"""When a campaign goes out: a test, later, by the reader's clock, again and again, and once more."""

from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils import timezone

from postroom.core.campaigns.types import Frequency, Metric, Repeat, RepeatPlan
from postroom.kit import clock
from postroom.kit.when import LONGEST, BadTime, read_when
from postroom.web.shared.forms import HouseForm

HOUSE_CLOCK: Final = "workspace"
OWN_CLOCK: Final = "reader"
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class TestForm(HouseForm):
    """Where a test goes."""

    to = forms.CharField(label="Send a test to", max_length=1000, help_text="Commas between several addresses.")

    def addresses(self) -> tuple[str, ...]:
        """Return the addresses one by one."""
        return tuple(part.strip() for part in self.cleaned_data["to"].split(",") if part.strip())


class ScheduleForm(HouseForm):
    """When a campaign goes out, and by whose clock."""

    at = forms.DateTimeField(
        label="Send it at",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    words = forms.CharField(
        label="Or in words",
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"placeholder": "tomorrow 9am", "autocomplete": "off"}),
        help_text="Such as: next monday 10:30, in 2 hours, 10 march 3pm.",
    )
    by = forms.ChoiceField(label="By whose clock", widget=forms.RadioSelect, required=False, initial=HOUSE_CLOCK)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        clocks = (
            (HOUSE_CLOCK, f"Ours: {timezone.get_current_timezone_name()}, everybody at the same moment"),
            (OWN_CLOCK, "Each reader's own: at that time in the zone they live in"),
        )
        field = self.fields["by"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = clocks

    def clean(self) -> dict[str, Any]:
        """Read the words, where there are some; they count for more than the field above them."""
        said = self.cleaned_data
        if words := said.get("words", "").strip():
            try:
                said["at"] = read_when(words, now=clock.now(), zone=timezone.get_current_timezone_name())
            except BadTime:
                self.add_error("words", "This is no time that can be read. Try “tomorrow 9am”, or use the field above.")
        elif "at" not in self.errors and not said.get("at"):
            self.add_error("at", "This field is required.")
        return said

    @property
    def is_local(self) -> bool:
        """Whether each reader's own clock is meant."""
        return bool(self.cleaned_data["by"] == OWN_CLOCK)

    def wall(self) -> datetime:
        """Return the time as it was typed, of no zone."""
        return timezone.make_naive(self.cleaned_data["at"])


class RepeatForm(HouseForm):
    """How often a campaign goes out, in the workspace's own time."""

    frequency = forms.ChoiceField(
        label="How often",
        choices=((Frequency.DAILY, "Every day"), (Frequency.WEEKLY, "Every week"), (Frequency.MONTHLY, "Every month")),
        widget=forms.RadioSelect,
        initial=Frequency.WEEKLY,
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="On", coerce=int, required=False, choices=enumerate(_WEEKDAYS), widget=forms.CheckboxSelectMultiple
    )
    day = forms.TypedChoiceField(
        label="On day",
        coerce=int,
        choices=[*((day, str(day)) for day in range(1, 32)), (0, "the last of the month")],
        required=False,
        help_text="A month without that day is left out.",
    )
    time = forms.TimeField(label="At", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), initial="09:00")
    ends_on = forms.DateField(label="Last day", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    most_runs = forms.IntegerField(label="At most so many times", min_value=1, max_value=10_000, required=False)

    def __init__(self, data: object = None) -> None:
        super().__init__(data)
        self.fields["time"].help_text = f"In the time of {timezone.get_current_timezone_name()}."

    def clean(self) -> dict[str, Any]:
        """Refuse a week without a day."""
        said = self.cleaned_data
        if said.get("frequency") == Frequency.WEEKLY and not said.get("weekdays"):
            self.add_error("weekdays", "Choose at least one day.")
        return said

    def to_plan(self, zone: str) -> RepeatPlan:
        """Return the timetable as the core takes it."""
        said = self.cleaned_data
        repeat = Repeat(
            Frequency(said["frequency"]),
            said["time"],
            weekdays=tuple(said["weekdays"]),
            day=1 if said["day"] == "" else said["day"],
        )
        return RepeatPlan(repeat, zone, ends_on=said["ends_on"], most_runs=said["most_runs"])


class ResendForm(HouseForm):
    """What those get whom the first mail did not move."""

    by = forms.ChoiceField(
        label="To those who got it and",
        choices=((Metric.OPENS, "did not open it"), (Metric.CLICKS, "did not click in it")),
    )
    subject = forms.CharField(label="With the subject", max_length=998)
