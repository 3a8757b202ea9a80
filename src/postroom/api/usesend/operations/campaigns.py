"""Campaigns: one mail to a contact book, made, scheduled, stopped, counted."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from ninja import Path, Query, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import FULL_KEY, writer_of
from postroom.api.usesend.ids import read_id, write_id
from postroom.api.usesend.schemas.campaigns import (
    Campaign,
    CampaignCreate,
    CampaignList,
    CampaignSchedule,
    CampaignSummary,
    SuccessResult,
)
from postroom.api.usesend.schemas.shared import ERRORS, NOT_FOUND
from postroom.api.usesend.schemas.values import QueryText, one_of, whole_text
from postroom.core.campaigns import selectors, services
from postroom.core.campaigns.types import CampaignStatus, WrittenCampaign
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.types import BodyFormat
from postroom.kit import clock
from postroom.kit.when import read_when

if TYPE_CHECKING:
    from postroom.core.campaigns.models import Campaign as CampaignRow
    from postroom.core.workspaces.models import Workspace

router: Final = Router(tags=["Campaigns"], by_alias=True, auth=FULL_KEY)

PAGE_SIZE: Final = 30
DEFAULT_BATCH: Final = 500

WORDS: Final = {
    CampaignStatus.DRAFT: "DRAFT",
    CampaignStatus.SCHEDULED: "SCHEDULED",
    CampaignStatus.REPEATING: "SCHEDULED",
    CampaignStatus.SENDING: "RUNNING",
    CampaignStatus.PAUSED: "PAUSED",
    CampaignStatus.FAILED: "PAUSED",
    CampaignStatus.SENT: "SENT",
    CampaignStatus.CANCELLED: "SENT",
}
_LATER_WORDS: Final = {"IN_PROGRESS": "RUNNING", "COMPLETED": "SENT"}
_STATUSES: Final = ("DRAFT", "SCHEDULED", "IN_PROGRESS", "PAUSED", "COMPLETED", "CANCELLED", "RUNNING", "SENT")

CampaignId = Annotated[str, Path(..., min_length=1)]
Page = Annotated[int, Query(1), whole_text(1)]
Status = Annotated[str | None, Query(None), one_of(*_STATUSES)]
Search = Annotated[QueryText, Query("")]


@router.get("/campaigns", operation_id="listCampaigns", response={200: CampaignList, **ERRORS})
def list_campaigns(request: KeyRequest, page: Page, status: Status, search: Search) -> CampaignList:
    """Return a page of campaigns, newest first."""
    found, count = selectors.find_campaigns(
        workspace=request.auth.workspace, number=page, size=PAGE_SIZE, statuses=_statuses(status), text=search
    )
    figures = selectors.list_figures(campaigns=found, now=clock.now())
    campaigns = [CampaignSummary(**_summary(one, figures[one.pk])) for one in found]
    return CampaignList(campaigns=campaigns, total_page=-(-count // PAGE_SIZE))


@router.post("/campaigns", operation_id="createCampaign", response={200: Campaign, **ERRORS, **NOT_FOUND})
def create_campaign(request: KeyRequest, campaign: CampaignCreate) -> Campaign:
    """Make a campaign, and schedule it where it says when; all of it or nothing."""
    identity = writer_of(request)
    now = clock.now()
    made = services.write_campaign(
        workspace=identity.workspace,
        new=_read(campaign, identity.workspace, identity.mail_domain, now),
        actor=identity.actor,
        now=now,
    )
    return _show(identity.workspace, made.uid.hex, now)


@router.get("/campaigns/{campaignId}", operation_id="getCampaign", response={200: Campaign, **ERRORS, **NOT_FOUND})
def get_campaign(request: KeyRequest, campaignId: CampaignId) -> Campaign:
    """Look a campaign up, with its counters."""
    return _show(request.auth.workspace, campaignId, clock.now())


@router.delete(
    "/campaigns/{campaignId}", operation_id="deleteCampaign", response={200: Campaign, **ERRORS, **NOT_FOUND}
)
def delete_campaign(request: KeyRequest, campaignId: CampaignId) -> Campaign:
    """Forget a campaign in whatever state; what was sent of it stays in the log."""
    identity = writer_of(request)
    now = clock.now()
    shown = _show(identity.workspace, campaignId, now)
    services.delete_campaign(workspace=identity.workspace, uid=read_id(campaignId), actor=identity.actor, now=now)
    return shown


@router.post(
    "/campaigns/{campaignId}/schedule",
    operation_id="scheduleCampaign",
    response={200: SuccessResult, **ERRORS, **NOT_FOUND},
)
def schedule_campaign(request: KeyRequest, campaignId: CampaignId, plan: CampaignSchedule) -> SuccessResult:
    """Have a campaign sent at a time, or now."""
    identity = writer_of(request)
    now = clock.now()
    services.schedule_anytime(
        workspace=identity.workspace,
        uid=read_id(campaignId),
        at=_read_time(plan.scheduled_at, identity.workspace, now),
        batch_size=plan.batch_size,
        actor=identity.actor,
        now=now,
    )
    return SuccessResult(success=True)


@router.post(
    "/campaigns/{campaignId}/pause", operation_id="pauseCampaign", response={200: SuccessResult, **ERRORS, **NOT_FOUND}
)
def pause_campaign(request: KeyRequest, campaignId: CampaignId) -> SuccessResult:
    """Stop a campaign for now."""
    identity = writer_of(request)
    services.pause_anytime(workspace=identity.workspace, uid=read_id(campaignId), actor=identity.actor, now=clock.now())
    return SuccessResult(success=True)


@router.post(
    "/campaigns/{campaignId}/resume",
    operation_id="resumeCampaign",
    response={200: SuccessResult, **ERRORS, **NOT_FOUND},
)
def resume_campaign(request: KeyRequest, campaignId: CampaignId) -> SuccessResult:
    """Go on with a campaign: at its time where that is ahead, else now."""
    identity = writer_of(request)
    services.resume_anytime(
        workspace=identity.workspace, uid=read_id(campaignId), actor=identity.actor, now=clock.now()
    )
    return SuccessResult(success=True)


def _read(campaign: CampaignCreate, workspace: "Workspace", mail_domain: str, now: datetime) -> WrittenCampaign:
    return WrittenCampaign(
        name=campaign.name,
        from_address=campaign.from_,
        subject=campaign.subject,
        list_uid=read_id(campaign.contact_book_id),
        html=campaign.html or "",
        document=campaign.content or "",
        preheader=campaign.preview_text or "",
        reply_to=tuple(campaign.reply_to),
        cc=tuple(campaign.cc),
        bcc=tuple(campaign.bcc),
        batch_size=campaign.batch_size or DEFAULT_BATCH,
        mail_domain=mail_domain,
        send_at=now if campaign.send_now else _read_time(campaign.scheduled_at, workspace, now),
    )


def _read_time(text: str | None, workspace: "Workspace", now: datetime) -> datetime | None:
    return read_when(text, now=now, zone=workspace.timezone) if text else None


def _statuses(word: str | None) -> tuple[CampaignStatus, ...]:
    """Return the states that a word of the filter means; the document's own words beside those of the answers."""
    if word == "CANCELLED":
        return (CampaignStatus.CANCELLED,)
    wanted = _LATER_WORDS.get(word or "", word)
    return tuple(status for status, shown in WORDS.items() if shown == wanted)


def _show(workspace: "Workspace", word: str, now: datetime) -> Campaign:
    campaign = selectors.get_campaign(workspace=workspace, uid=read_id(word))
    figures = selectors.list_figures(campaigns=[campaign], now=now)[campaign.pk]
    lists = [one.uid for one in campaign.lists.all()]
    return Campaign(
        **_summary(campaign, figures),
        preview_text=campaign.source_preheader or campaign.preheader or None,
        contact_book_id=write_id(lists[0]) if lists else None,
        html=_html_of(campaign),
        content=campaign.document or None,
        batch_size=campaign.batch_size,
        batch_window_minutes=campaign.batch_window_minutes,
        opened=figures.opened,
        clicked=figures.clicked,
        bounced=figures.bounced,
        hard_bounced=selectors.count_hard_bounces(campaign=campaign, figures=figures),
        complained=figures.complained,
        reply_to=campaign.reply_to,
        cc=campaign.cc,
        bcc=campaign.bcc,
    )


def _summary(campaign: "CampaignRow", figures: selectors.Figures) -> dict[str, Any]:
    sender = campaign.sender
    own = format_address(campaign.sender_name or sender.from_name, sender.from_email) if sender else ""
    return {
        "id": write_id(campaign.uid),
        "name": campaign.name,
        "from_": campaign.from_address or own,
        "subject": campaign.source_subject or campaign.subject,
        "created_at": campaign.created_at,
        "updated_at": campaign.updated_at,
        "status": WORDS[CampaignStatus(campaign.status)],
        "scheduled_at": campaign.scheduled_at,
        "total": figures.total,
        "sent": figures.sent,
        "delivered": figures.delivered,
        "unsubscribed": figures.unsubscribed,
    }


def _html_of(campaign: "CampaignRow") -> str | None:
    """Return the HTML that somebody wrote; what was made of a document is nobody's."""
    is_written = not campaign.document and campaign.body_format == BodyFormat.HTML
    return campaign.source_html or (campaign.body if is_written else "") or None
