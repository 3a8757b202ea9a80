"""What a plot on a page is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from postroom.kit.types import JSONObject


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, a colour of the style sheet, one value for each instant; None leaves a gap."""

    label: str
    colour: str
    values: Sequence[int | None]


def describe_plot(instants: Sequence[datetime], lines: Sequence[Line], *, is_hourly: bool) -> JSONObject:
    """Return the plot as ``plots.js`` reads it, its times to be shown in the current zone."""
    return {
        "zone": timezone.get_current_timezone_name(),
        "hourly": is_hourly,
        "x": [int(at.timestamp()) for at in instants],
        "series": [{"label": one.label, "colour": one.colour, "values": list(one.values)} for one in lines],
    }
