"""Where a campaign under way stands: its variants, and those who wait."""

from datetime import datetime
from typing import Final

from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.rules import compare
from postroom.core.campaigns.selectors.trials import list_variants, own_words, score_variants
from postroom.core.campaigns.types import CampaignStatus, Contender, Metric, Progress, Rest
from postroom.core.mail import selectors as mail

_MOVING: Final = (CampaignStatus.SENDING, CampaignStatus.PAUSED)


def show_progress(*, campaign: Campaign, now: datetime) -> Progress:
    """Return where a campaign stands by variant and by time to begin; empty before it was started."""
    if campaign.batch is None:
        return Progress()
    waiting = mail.count_waiting(batch_id=campaign.batch.pk) if campaign.status in _MOVING else []
    trial: Trial | None = getattr(campaign, "trial", None)
    contenders = _contenders(campaign) if trial else ()
    return Progress(
        contenders=contenders,
        confidence=compare([one.score for one in contenders], Metric(trial.metric)) if trial else None,
        waiting=tuple((at, people) for at, people in waiting if at is not None and at > now),
        held=sum(people for at, people in waiting if at is None),
        rests=_rests(campaign.batch.sender_id, now) if campaign.status in _MOVING else (),
    )


def _rests(sender_id: int, now: datetime) -> tuple[Rest, ...]:
    rests = mail.list_rests(sender_id=sender_id, now=now)
    return tuple(Rest(one.destination, one.until, one.reason) for one in rests)


def _contenders(campaign: Campaign) -> tuple[Contender, ...]:
    variants = list_variants(campaign=campaign)
    own = own_words(campaign)
    return tuple(
        Contender(score, words.subject, words.sender_name, has_own_body=words.body != own.body)
        for score, words in zip(score_variants(campaign=campaign), variants.values(), strict=True)
    )
