"""What can be done to a campaign: tested, sent, scheduled, paused, resumed, cancelled, deleted."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from postroom.core.campaigns import selectors as campaigns
from postroom.core.campaigns import services
from postroom.core.campaigns.types import CampaignStatus
from postroom.kit import clock
from postroom.web.campaigns.forms import ScheduleForm, TestForm
from postroom.web.shared.pages import errors_flashed, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room(methods=("POST",))
def send_test(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the saved draft to the addresses given."""
    form = TestForm(request.POST)
    if form.is_valid():
        with errors_flashed(request):
            services.send_test(
                workspace=room.workspace, uid=uid, to=form.addresses(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"The test is on its way to {', '.join(form.addresses())}.")
    return redirect("web:campaign", room.workspace.slug, uid)


@in_room(methods=("GET", "HEAD", "POST"))
def send(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Ask once more, saying how many people there are; then send. What is under way shows its report instead."""
    if request.method == "POST":
        with errors_flashed(request):
            services.send_campaign(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    campaign = campaigns.get_campaign(workspace=room.workspace, uid=uid)
    if campaign.status != CampaignStatus.DRAFT:
        return redirect("web:report", room.workspace.slug, uid)
    count = None
    with errors_flashed(request):
        count = campaigns.count_campaign_audience(workspace=room.workspace, uid=uid, now=clock.now())
    context = {
        "campaign": campaign,
        "count": count,
        "test_form": TestForm(initial={"to": room.user.email}),
        "schedule_form": ScheduleForm(),
    }
    return render_page(request, room, "web/campaigns/send.html", context)


@in_room(methods=("POST",))
def schedule(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the campaign later."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a day and a time.")
        return redirect("web:campaign_send", room.workspace.slug, uid)
    with errors_flashed(request):
        services.schedule_campaign(
            workspace=room.workspace, uid=uid, at=form.cleaned_data["at"], actor=room.actor, now=clock.now()
        )
    return redirect("web:campaign", room.workspace.slug, uid)


def _act_on(act: Callable[..., object], *, then: str) -> Callable[[HttpRequest, str, UUID], HttpResponseBase]:
    """Return a view that does ``act`` to the campaign and leads to the page named ``then``."""

    @in_room(methods=("POST",))
    def view(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
        with errors_flashed(request):
            act(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        arguments = (room.workspace.slug,) if then == "web:campaigns" else (room.workspace.slug, uid)
        return redirect(then, *arguments)

    return view


pause: Final = _act_on(services.pause_campaign, then="web:campaign")
resume: Final = _act_on(services.resume_campaign, then="web:campaign")
cancel: Final = _act_on(services.cancel_campaign, then="web:campaign")
delete: Final = _act_on(services.delete_campaign, then="web:campaigns")
