"""What can be done to a campaign: tested, sent, scheduled, repeated, paused, resumed, cancelled, deleted."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from postroom.core.campaigns import selectors as campaigns
from postroom.core.campaigns import services
from postroom.core.campaigns.types import CampaignStatus, Metric
from postroom.kit import clock
from postroom.web.campaigns.when_forms import RepeatForm, ResendForm, ScheduleForm, TestForm
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment


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
    return _show_send(request, room, uid)


@in_room(methods=("POST",))
def schedule(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the campaign later, by our clock or by each reader's own."""
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return _show_send(request, room, uid, schedule_form=form)
    workspace, actor, now = room.workspace, room.actor, clock.now()
    with errors_in(form):
        if form.is_local:
            services.schedule_campaign_locally(workspace=workspace, uid=uid, wall=form.wall(), actor=actor, now=now)
        else:
            at = form.cleaned_data["at"]
            services.schedule_campaign(workspace=workspace, uid=uid, at=at, actor=actor, now=now)
        return redirect("web:campaign", workspace.slug, uid)
    return _show_send(request, room, uid, schedule_form=form)


@in_room(methods=("GET", "HEAD"))
def show_waves(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show how many people get the campaign when, if each does by their own clock."""
    form, waves = ScheduleForm(request.GET or None), None
    if form.is_valid() and form.is_local:
        with errors_in(form):
            waves = campaigns.list_waves(workspace=room.workspace, uid=uid, wall=form.wall(), now=clock.now())
    context = {"campaign": campaigns.get_campaign(workspace=room.workspace, uid=uid), "waves": waves, "form": form}
    template = "web/campaigns/_waves.html" if is_fragment(request) else "web/campaigns/waves.html"
    return render_page(request, room, template, context)


@in_room(methods=("POST",))
def repeat(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the campaign by a timetable."""
    form = RepeatForm(request.POST)
    if form.is_valid():
        plan = form.to_plan(room.workspace.timezone)
        with errors_in(form):
            services.repeat_campaign(workspace=room.workspace, uid=uid, plan=plan, actor=room.actor, now=clock.now())
            return redirect("web:campaign", room.workspace.slug, uid)
    return _show_send(request, room, uid, repeat_form=form)


@in_room(methods=("POST",))
def resend(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Begin a campaign to those whom this one did not move."""
    campaigns.get_campaign(workspace=room.workspace, uid=uid)
    form = ResendForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say which subject they get.")
        return redirect("web:report", room.workspace.slug, uid)
    said = form.cleaned_data
    with errors_flashed(request):
        made = services.resend_campaign(
            workspace=room.workspace,
            uid=uid,
            subject=said["subject"],
            by=Metric(said["by"]),
            actor=room.actor,
            now=clock.now(),
        )
        messages.success(request, "Here is the draft. Nothing is sent until you say so.")
        return redirect("web:campaign", room.workspace.slug, made.uid)
    return redirect("web:report", room.workspace.slug, uid)


@in_room(methods=("POST",))
def decide(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send a variant to the rest."""
    letter = request.POST.get("letter", "")
    with errors_flashed(request):
        services.decide_trial(workspace=room.workspace, uid=uid, letter=letter, actor=room.actor, now=clock.now())
    return redirect("web:report", room.workspace.slug, uid)


def _show_send(
    request: HttpRequest,
    room: Room,
    uid: UUID,
    *,
    schedule_form: ScheduleForm | None = None,
    repeat_form: RepeatForm | None = None,
) -> HttpResponse:
    """Show what is to be sent and the ways to send it; of a campaign that is no draft any more, its report."""
    campaign = campaigns.get_campaign(workspace=room.workspace, uid=uid)
    if campaign.status != CampaignStatus.DRAFT:
        return redirect("web:report", room.workspace.slug, uid)
    now, count = clock.now(), None
    with errors_flashed(request):
        count = campaigns.count_campaign_audience(workspace=room.workspace, uid=uid, now=now)
    context = {
        "campaign": campaign,
        "count": count,
        "forecast": campaigns.forecast_campaign(campaign=campaign, now=now),
        "findings": campaigns.find_obstacles(campaign=campaign, now=now, size=count),
        "variants": campaigns.list_variants(campaign=campaign),
        "trial": getattr(campaign, "trial", None),
        "test_form": TestForm(initial={"to": room.user.email}),
        "schedule_form": schedule_form or ScheduleForm(),
        "repeat_form": repeat_form or RepeatForm(),
    }
    return render_page(request, room, "web/campaigns/send.html", context)


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
