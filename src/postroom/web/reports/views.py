"""The report of a campaign: the sum that must add up, what readers did, and when."""

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from postroom.core.campaigns import selectors as campaigns
from postroom.core.campaigns.rules import describe_repeat, read_repeat
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.insights import selectors as insights
from postroom.kit import clock
from postroom.kit.types import JSONObject
from postroom.web.campaigns.when_forms import ResendForm
from postroom.web.shared.pace import Pace, measure_pace
from postroom.web.shared.pages import render_page
from postroom.web.shared.plots import Line, describe_plot
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.campaigns.models import Campaign
    from postroom.core.insights.types import CampaignReport
    from postroom.core.mail.types import Forecast

LINES: Final = (
    ("opened", "Opened by people", "green"),
    ("clicked", "Clicked by people", "purple"),
    ("machine_opened", "Opened by machines", "secondary"),
    ("scanner_clicked", "Clicked by scanners", "orange"),
)
# What still moves: a report of a finished campaign also does, while answers come in, but it need not be watched.
LIVE: Final = (CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED)
ENDED: Final = (CampaignStatus.SENT, CampaignStatus.CANCELLED)
DECIDABLE: Final = (CampaignStatus.SENDING, CampaignStatus.PAUSED)


@in_room()
def show_report(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show what became of a campaign, live while it is going out."""
    report = insights.campaign_report(workspace=room.workspace, uid=uid, now=clock.now())
    campaign = report.campaign
    done = report.counts.total - report.counts.pending if report.counts else 0
    trial = getattr(campaign, "trial", None)
    progress = campaigns.show_progress(campaign=campaign, now=clock.now())
    left = report.counts.pending - progress.held if report.counts else 0
    forecast = campaigns.forecast_campaign(campaign=campaign, now=clock.now()) if left else None
    context = {
        "report": report,
        "plot": _plot(report),
        "is_live": campaign.status in LIVE,
        "can_cancel": campaign.status in (*LIVE, CampaignStatus.REPEATING),
        "can_resend": campaign.batch is not None and campaign.status in ENDED,
        "can_decide": room.can_write and trial is not None and not trial.winner and campaign.status in DECIDABLE,
        "done": done,
        "pace": _pace(report, done, forecast),
        "forecast": forecast,
        "progress": progress,
        "trial": trial,
        "resend_form": ResendForm(),
        **_describe_runs(campaign),
    }
    template = "web/reports/_report.html" if is_fragment(request) else "web/reports/report.html"
    return render_page(request, room, template, context)


def _describe_runs(campaign: "Campaign") -> dict[str, object]:
    """Return what a repeating campaign's page says of its timetable."""
    recurrence = getattr(campaign, "recurrence", None)
    if recurrence is None:
        return {}
    timetable = describe_repeat(read_repeat(recurrence.schedule))
    return {"recurrence": recurrence, "timetable": timetable, "runs": campaigns.list_runs(campaign=campaign)}


def _pace(report: "CampaignReport", done: int, forecast: "Forecast | None") -> Pace:
    """Return how fast a campaign goes out: in the last minutes where that is known, else since its start; one that
    rests has no pace.
    """
    campaign = report.campaign
    if campaign.status != CampaignStatus.SENDING or report.counts is None:
        return Pace()
    if forecast is not None and forecast.rate_per_s > 0:
        return Pace(max(1, round(forecast.rate_per_s)))
    total = report.counts.total
    return measure_pace(done=done, total=total, started_at=campaign.started_at, until=clock.now(), is_live=True)


def _plot(report: "CampaignReport") -> JSONObject:
    lines = [Line(label, colour, [getattr(hour, name) for hour in report.hours]) for name, label, colour in LINES]
    return describe_plot([hour.at for hour in report.hours], lines, is_hourly=True)
