"""The overview: thirty days at a glance, what waits, and where to begin."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from postroom.core.insights import selectors as insights
from postroom.core.mail import selectors as mail
from postroom.kit import clock
from postroom.kit.types import JSONObject
from postroom.web.shared.pages import render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room

if TYPE_CHECKING:
    from postroom.core.insights.types import Overview

LINES: Final = (
    ("sent", "secondary"),
    ("delivered", "blue"),
    ("opened", "green"),
    ("clicked", "purple"),
    ("bounced", "orange"),
    ("complained", "red"),
)


@in_room()
def show_overview(request: HttpRequest, room: Room) -> HttpResponse:
    """Show what happened lately."""
    overview = insights.workspace_overview(workspace=room.workspace, now=clock.now())
    context = {
        "overview": overview,
        "plot": _plot(overview),
        "since": overview.days[0].on.isoformat(),
        "is_new": not (overview.totals.sent or overview.waiting) and not mail.has_messages(workspace=room.workspace),
    }
    return render_page(request, room, "web/overview/overview.html", context)


def _plot(overview: "Overview") -> JSONObject:
    zone = timezone.get_current_timezone()
    instants = [datetime.combine(day.on, time.min, zone) for day in overview.days]
    lines = [Line(name.capitalize(), colour, [getattr(day, name) for day in overview.days]) for name, colour in LINES]
    return describe_plot(instants, lines, is_hourly=False)
