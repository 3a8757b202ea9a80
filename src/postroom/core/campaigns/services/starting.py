"""The start of a campaign by a worker, and its end as the mail app tells it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, CampaignIncomplete
from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.selectors import audience_of, composition_of, fence_of, list_variants
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.mail import services as mail
from postroom.core.mail.types import BatchStatus, FreezePlan, LocalTime, MessageClass, Split
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.errors import AppError, Unavailable

_ENDS: Final = {
    BatchStatus.DONE: CampaignStatus.SENT,
    BatchStatus.PAUSED: CampaignStatus.PAUSED,
    BatchStatus.CANCELLED: CampaignStatus.CANCELLED,
    BatchStatus.FAILED: CampaignStatus.FAILED,
}
_MOVING: Final = (CampaignStatus.SENDING, CampaignStatus.PAUSED)

log = structlog.get_logger(__name__)


@transaction.atomic
def start_campaign(*, campaign_id: int, now: datetime) -> None:
    """Freeze a campaign's content and audience and hand both to the senders, all in one transaction.

    Run again, or after a pause or the end, it does nothing. What cannot be sent makes the campaign ``failed``, with
    the reason.
    """
    campaign = _lock(campaign_id)
    if campaign is None or campaign.status != CampaignStatus.SENDING or campaign.batch_id is not None:
        return
    try:
        with transaction.atomic():
            _hand_over(campaign, now)
    except Unavailable:
        raise
    except AppError as error:
        _fail(campaign, error.message, now)


@transaction.atomic
def fail_campaign(*, campaign_id: int, reason: str, now: datetime) -> None:
    """Give up a campaign whose start does not succeed; one that has started, or was stopped, stays as it is."""
    campaign = _lock(campaign_id)
    if campaign is not None and campaign.status == CampaignStatus.SENDING and campaign.batch_id is None:
        _fail(campaign, reason, now)


@transaction.atomic
def settle_campaign(*, batch_id: int, now: datetime) -> None:
    """Bring a campaign where its batch has come to rest; a batch that moves again, or is nobody's, changes nothing."""
    found = Campaign.objects.filter(batch_id=batch_id).values_list("pk", flat=True).first()
    campaign = _lock(found) if found is not None else None
    if campaign is None or campaign.batch is None or campaign.status not in _MOVING:
        return
    status = _ENDS.get(BatchStatus(campaign.batch.status))
    if status is None or status == campaign.status:
        return
    finished_at = None if status == CampaignStatus.PAUSED else now
    error = campaign.batch.error
    move(campaign, allowed=_MOVING, to=status, act=status.value, now=now, finished_at=finished_at, error=error)
    note(campaign, act="campaign.finished" if finished_at else "campaign.paused", actor=SYSTEM, now=now)


def _lock(campaign_id: int) -> Campaign | None:
    rows = Campaign.objects.select_for_update(of=("self",)).select_related("workspace", "batch", "resend_of")
    return rows.filter(pk=campaign_id).first()


def _hand_over(campaign: Campaign, now: datetime) -> None:
    if campaign.sender_id is None:
        raise CampaignIncomplete(f"The campaign {campaign.name} has no sender.", missing=("sender",))
    contents = _freeze_variants(campaign, campaign.sender_id, now)
    batch = mail.create_batch(
        workspace=campaign.workspace,
        sender_id=campaign.sender_id,
        content_id=contents[0],
        message_class=MessageClass.MARKETING,
        fence=fence_of(campaign),
        now=now,
    )
    campaign.batch = batch
    campaign.save(update_fields=["batch"])
    plan = FreezePlan(local_time=_local_time(campaign), split=_split(campaign, contents))
    totals = mail.freeze_audience(batch_id=batch.pk, audience=audience_of(campaign), now=now, plan=plan)
    fenced = sum(totals.fenced.values())
    note(campaign, act="campaign.started", actor=SYSTEM, now=now, after={"total": totals.total, "fenced": fenced})


def _freeze_variants(campaign: Campaign, sender_id: int, now: datetime) -> list[int]:
    """Freeze what each variant says and return the contents, the campaign's own first."""
    found = {
        letter: mail.freeze_content(
            workspace=campaign.workspace,
            composition=composition_of(campaign, words),
            message_class=MessageClass.MARKETING,
            now=now,
            sender_id=sender_id,
            from_name=words.sender_name,
        ).pk
        for letter, words in list_variants(campaign=campaign).items()
    }
    if len(set(found.values())) < len(found):
        raise BadCampaign("Two of the variants say the same.", field="variants")
    for variant in campaign.variants.all():
        variant.content_id = found[variant.letter]
        variant.save(update_fields=["content"])
    return list(found.values())


def _split(campaign: Campaign, contents: Sequence[int]) -> Split | None:
    trial = Trial.objects.filter(campaign=campaign).first()
    if trial is None or len(contents) < 2:
        return None
    return Split(seed=campaign.pk, percent=trial.percent, contents=tuple(contents))


def _local_time(campaign: Campaign) -> LocalTime | None:
    if campaign.local_date is None or campaign.local_time is None:
        return None
    wall = datetime.combine(campaign.local_date, campaign.local_time)
    return LocalTime(wall, default_zone=campaign.workspace.timezone)


def _fail(campaign: Campaign, reason: str, now: datetime) -> None:
    log.warning("campaign_failed", campaign_id=campaign.pk)
    campaign.batch = None
    allowed = (CampaignStatus.SENDING,)
    to = CampaignStatus.FAILED
    move(campaign, allowed=allowed, to=to, act="started", now=now, finished_at=now, error=reason[:1000], batch=None)
    note(campaign, act="campaign.failed", actor=SYSTEM, now=now, after={"error": reason[:1000]})
