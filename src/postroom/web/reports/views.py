"""The report of a campaign: the sum that must add up, what readers did, and when."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from postroom.core.campaigns.types import CampaignStatus
from postroom.core.insights import selectors as insights
from postroom.kit import clock
from postroom.kit.types import JSONObject
from postroom.web.shared.pace import Pace, measure_pace
from postroom.web.shared.pages import render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.insights.types import CampaignReport

LINES: Final = (
    ("opened", "Opened by people", "green"),
    ("clicked", "Clicked by people", "purple"),
    ("machine_opened", "Opened by machines", "secondary"),
    ("scanner_clicked", "Clicked by scanners", "orange"),
)
# What still moves: a report of a finished campaign also does, while answers come in, but it need not be watched.
LIVE: Final = (CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED)


@in_room()
def show_report(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show what became of a campaign, live while it is going out."""
    report = insights.campaign_report(workspace=room.workspace, uid=uid, now=clock.now())
    done = report.counts.total - report.counts.pending if report.counts else 0
    is_live = report.campaign.status in LIVE
    context = {"report": report, "plot": _plot(report), "is_live": is_live, "done": done, "pace": _pace(report, done)}
    template = "web/reports/_report.html" if is_fragment(request) else "web/reports/report.html"
    return render_page(request, room, template, context)


def _pace(report: "CampaignReport", done: int) -> Pace:
    """Return how fast a campaign goes out, averaged since its start; one that rests has none."""
    campaign = report.campaign
    if campaign.status != CampaignStatus.SENDING or report.counts is None:
        return Pace()
    total = report.counts.total
    return measure_pace(done=done, total=total, started_at=campaign.started_at, until=clock.now(), is_live=True)


def _plot(report: "CampaignReport") -> JSONObject:
    lines = [Line(label, colour, [getattr(hour, name) for hour in report.hours]) for name, label, colour in LINES]
    return describe_plot([hour.at for hour in report.hours], lines, is_hourly=True)
