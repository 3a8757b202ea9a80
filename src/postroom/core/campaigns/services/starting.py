"""The start of a campaign by a worker, and its end as the mail app tells it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, CampaignIncomplete
from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.selectors import audience_of, composition_of, fence_of, list_variants
from postroom.core.campaigns.services.readiness import require_audience
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.mail import services as mail
from postroom.core.mail.rules.headers import parse_addresses
from postroom.core.mail.types import (
    BatchAddresses,
    BatchStatus,
    FreezePlan,
    LocalTime,
    MessageClass,
    Portions,
    Split,
)
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
    """Freeze a campaign's content and audience and hand both to the senders, all in one transaction. One that had come
    to its end before goes on to those who did not get it then.

    Run again, or after a pause or the end, it does nothing. What cannot be sent makes the campaign ``failed``, with
    the reason.
    """
    campaign = _lock(campaign_id)
    if campaign is None or not _is_to_begin(campaign):
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
    if campaign is not None and _is_to_begin(campaign):
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


def _is_to_begin(campaign: Campaign) -> bool:
    """Return whether a campaign waits for its start, or for another round of what came to its end before."""
    has_begun = campaign.batch is not None and campaign.batch.status != BatchStatus.FREEZING
    return campaign.status == CampaignStatus.SENDING and not has_begun


def _hand_over(campaign: Campaign, now: datetime) -> None:
    if campaign.sender_id is None:
        raise CampaignIncomplete(f"The campaign {campaign.name} has no sender.", missing=("sender",))
    require_audience(campaign)
    plan = FreezePlan(portions=_portions(campaign))
    if campaign.batch is None:
        plan = _open_batch(campaign, campaign.sender_id, plan, now)
    batch_id = campaign.batch_id or 0
    totals = mail.freeze_audience(batch_id=batch_id, audience=audience_of(campaign), now=now, plan=plan)
    fenced = sum(totals.fenced.values())
    note(campaign, act="campaign.started", actor=SYSTEM, now=now, after={"total": totals.total, "fenced": fenced})


def _open_batch(campaign: Campaign, sender_id: int, plan: FreezePlan, now: datetime) -> FreezePlan:
    contents = _freeze_variants(campaign, sender_id, now)
    campaign.batch = mail.create_batch(
        workspace=campaign.workspace,
        sender_id=sender_id,
        content_id=contents[0],
        message_class=MessageClass.MARKETING,
        fence=fence_of(campaign),
        now=now,
        addresses=_addresses(campaign),
    )
    campaign.save(update_fields=["batch"])
    return replace(plan, local_time=_local_time(campaign), split=_split(campaign, contents))


def _addresses(campaign: Campaign) -> BatchAddresses:
    cc, bcc = (
        tuple(email for text in field for _, email in parse_addresses(text)) for field in (campaign.cc, campaign.bcc)
    )
    return BatchAddresses(campaign.from_address, tuple(campaign.reply_to), cc, bcc)


def _portions(campaign: Campaign) -> Portions | None:
    if not campaign.batch_window_minutes:
        return None
    return Portions(campaign.batch_size, campaign.batch_window_minutes)


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
    campaign.refresh_from_db(fields=["batch"])
    if campaign.batch is not None:
        mail.shut_batch(workspace=campaign.workspace, batch_id=campaign.batch.pk)
    allowed = (CampaignStatus.SENDING,)
    move(
        campaign,
        allowed=allowed,
        to=CampaignStatus.FAILED,
        act="started",
        now=now,
        finished_at=now,
        error=reason[:1000],
    )
    note(campaign, act="campaign.failed", actor=SYSTEM, now=now, after={"error": reason[:1000]})
