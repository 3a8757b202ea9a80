"""The campaign pages: the list, the composer with its live preview."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import escape

from postroom.core.campaigns import selectors as campaigns
from postroom.core.campaigns import services
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import selectors as contacts
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.kit.paging import PageRequest
from postroom.web.campaigns.forms import AudienceForm, CampaignForm, NewCampaignForm, PreviewForm, describe_draft
from postroom.web.shared.frames import frame_response, under_subject
from postroom.web.shared.pace import Pace, measure_pace
from postroom.web.shared.pages import errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.campaigns.models import Campaign

STARTER: Final = (Path(__file__).parent / "starter.mjml").read_text(encoding="utf-8")
READERS: Final = 20
"""How many of the newest people the preview offers to read as."""
LIVE: Final = (CampaignStatus.SCHEDULED, CampaignStatus.SENDING, CampaignStatus.PAUSED)


@in_room(methods=("GET", "HEAD", "POST"))
def show_campaigns(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the campaigns with their progress, the table alone when HTMX asks; start a new one."""
    form = NewCampaignForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            name = form.cleaned_data["name"]
            made = services.create_campaign(workspace=room.workspace, name=name, actor=room.actor, now=clock.now())
            return redirect("web:campaign", room.workspace.slug, made.uid)
    page = campaigns.list_campaigns(workspace=room.workspace, page=page_request(request)).map(_with_pace)
    is_live = any(row.campaign.status in LIVE for row in page.items)
    template = "web/campaigns/_table.html" if is_fragment(request) else "web/campaigns/list.html"
    return render_page(request, room, template, {"page": page, "form": form, "is_live": is_live})


@dataclass(frozen=True, slots=True)
class _Row:
    """A campaign as the list shows it; ``pace`` only while it goes out."""

    campaign: "Campaign"
    total: int
    done: int
    pace: Pace | None


def _with_pace(row: campaigns.CampaignRow) -> _Row:
    campaign = row.campaign
    if campaign.status != CampaignStatus.SENDING or not row.done:
        return _Row(campaign, row.total, row.done, None)
    pace = measure_pace(done=row.done, total=row.total, started_at=campaign.started_at, until=clock.now(), is_live=True)
    return _Row(campaign, row.total, row.done, pace)


@in_room(methods=("GET", "HEAD", "POST"))
def compose(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Write a draft; a campaign that is no draft any more shows its report instead."""
    campaign = campaigns.get_campaign(workspace=room.workspace, uid=uid)
    if campaign.status != CampaignStatus.DRAFT:
        return redirect("web:report", room.workspace.slug, uid)
    form = CampaignForm(
        request.POST or None,
        workspace=room.workspace,
        initial=describe_draft(campaign, starter=STARTER),
        is_resend=campaign.resend_of_id is not None,
    )
    if form.is_valid():
        with errors_in(form):
            services.update_campaign(
                workspace=room.workspace, uid=uid, changes=form.to_changes(), actor=room.actor, now=clock.now()
            )
            messages.success(request, "The draft is saved.")
            following = "web:campaign_send" if "review" in request.POST else "web:campaign"
            return redirect(following, room.workspace.slug, uid)
    context = {
        "campaign": campaign,
        "form": form,
        "fields": contacts.list_fields(workspace=room.workspace),
        "readers": contacts.list_contacts(workspace=room.workspace, page=PageRequest(size=READERS)).items,
    }
    return render_page(request, room, "web/campaigns/compose.html", context)


@in_room(methods=("POST",), write=Role.VIEWER)
def preview(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the words of the composer as one person, or an example reader, would see them, for the frame beside it."""
    form = PreviewForm(request.POST)
    if not form.is_valid():
        return frame_response(form.errors.as_ul())
    try:
        shown = campaigns.preview_composition(
            workspace=room.workspace, composition=form.to_composition(), contact_uid=form.cleaned_data["reader"]
        )
    except AppError as error:
        return frame_response(f"<p role=alert>{escape(error.message)}</p>")
    return frame_response(under_subject(shown.subject, shown.html))


@in_room(methods=("POST",), write=Role.VIEWER)
def count_audience(request: HttpRequest, room: Room) -> HttpResponse:
    """Count the people the composer's audience holds at this moment."""
    form, count = AudienceForm(request.POST, workspace=room.workspace), None
    if form.is_valid():
        with errors_in(form):
            count = contacts.count_audience(workspace=room.workspace, audience=form.to_audience(), now=clock.now())
    return render_page(request, room, "web/campaigns/_audience.html", {"count": count, "form": form})
