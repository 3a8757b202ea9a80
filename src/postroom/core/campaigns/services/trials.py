"""The end of a trial: one variant is chosen, once, and whoever was held gets it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, CampaignState
from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.rules import choose_winner
from postroom.core.campaigns.selectors import lock_campaign, score_variants
from postroom.core.campaigns.services.states import note
from postroom.core.campaigns.types import CampaignStatus, Metric, Score, Verdict
from postroom.core.mail import selectors as mails
from postroom.core.mail import services as mail
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Actor

_RUNNING = (CampaignStatus.SENDING, CampaignStatus.SENT)


@transaction.atomic
def decide_trial(*, workspace: Workspace, uid: UUID, letter: str, actor: Actor, now: datetime) -> Campaign:
    """Choose the variant that the rest of a campaign gets, by a person's word, at any time before it is decided.

    Raises NoSuchCampaign; CampaignState when there is nothing to decide, BadCampaign when there is no such variant.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    trial = Trial.objects.select_for_update().filter(campaign=campaign).first()
    if trial is None or trial.winner or campaign.batch_id is None:
        raise CampaignState(f"There is nothing to decide about {campaign.name}.", status=campaign.status)
    if campaign.status not in (*_RUNNING, CampaignStatus.PAUSED):
        message = f"The campaign {campaign.name} is {campaign.status}; its trial is over."
        raise CampaignState(message, status=campaign.status)
    if letter not in {score.letter for score in score_variants(campaign=campaign)}:
        raise BadCampaign(f"There is no variant {letter}.", field="letter")
    _decide(campaign, trial, Verdict(letter, f"{letter} was chosen by hand."), actor, now)
    return campaign


def decide_due_trials(*, now: datetime) -> int:
    """Decide every trial whose time, or number of people, has come; return how many. Each is decided once."""
    waiting = Trial.objects.filter(winner="", campaign__batch__isnull=False, campaign__status__in=_RUNNING)
    due = waiting.exclude(wait_minutes=None, wanted_count=None).order_by("pk").values_list("pk", flat=True)
    return sum(_decide_due(pk, now) for pk in list(due))


@transaction.atomic
def _decide_due(trial_id: int, now: datetime) -> bool:
    """Decide a trial if it is due and nobody else is at it. A campaign that rests is decided when it goes on."""
    found = Campaign.objects.filter(trial=trial_id, status__in=_RUNNING, batch__isnull=False)
    campaign = found.select_for_update(of=("self",), skip_locked=True).select_related("workspace", "batch").first()
    trial = Trial.objects.select_for_update().filter(pk=trial_id, winner="").first()
    if campaign is None or trial is None or not _is_sampled(campaign, trial, now):
        return False
    scores = score_variants(campaign=campaign)
    if not _is_due(trial, scores, now):
        return False
    _decide(campaign, trial, choose_winner(scores, Metric(trial.metric)), SYSTEM, now)
    return True


def _is_sampled(campaign: Campaign, trial: Trial, now: datetime) -> bool:
    """Return whether all of the sample was handed over; the first time that it was is noted."""
    if trial.sampled_at is None and not mails.is_sample_open(batch_id=campaign.batch_id or 0):
        trial.sampled_at = now
        trial.save(update_fields=["sampled_at"])
    return trial.sampled_at is not None


def _is_due(trial: Trial, scores: Sequence[Score], now: datetime) -> bool:
    acted = sum(score.count(Metric(trial.metric)) for score in scores)
    if trial.wanted_count is not None and acted >= trial.wanted_count:
        return True
    if trial.wait_minutes is None or trial.sampled_at is None:
        return False
    return now >= trial.sampled_at + timedelta(minutes=trial.wait_minutes)


def _decide(campaign: Campaign, trial: Trial, verdict: Verdict, actor: Actor, now: datetime) -> None:
    """Write the verdict down and let those who were held have the winner, in the caller's transaction."""
    trial.winner, trial.reason, trial.decided_at = verdict.letter, verdict.reason, now
    trial.save(update_fields=["winner", "reason", "decided_at"])
    variant = campaign.variants.filter(letter=verdict.letter).first()
    assert campaign.batch is not None
    content_id = variant.content_id if variant and variant.content_id else campaign.batch.content_id
    people = mail.release_held(batch_id=campaign.batch.pk, content_id=content_id, now=now)
    after = {"winner": verdict.letter, "reason": verdict.reason, "people": people}
    note(campaign, act="campaign.decided", actor=actor, now=now, after=after)
