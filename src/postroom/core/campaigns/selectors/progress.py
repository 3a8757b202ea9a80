"""Where a campaign under way stands, in parts."""

from datetime import datetime
from typing import Final

from postroom.core.campaigns.models import Campaign, Trial
from postroom.core.campaigns.rules import compare
from postroom.core.campaigns.selectors.trials import list_variants, score_contents
from postroom.core.campaigns.types import CampaignStatus, Contender, Metric, Progress
from postroom.core.mail import selectors as mail
from postroom.core.mail.types import BatchCounts

_MOVING: Final = (CampaignStatus.SENDING, CampaignStatus.PAUSED)


def show_progress(*, campaign: Campaign, now: datetime) -> Progress:
    """Return where a campaign stands by destination, by variant and by time to begin; empty before it was started."""
    if campaign.batch is None:
        return Progress()
    groups = mail.count_batch_by(batch_id=campaign.batch.pk)
    waiting = mail.count_waiting(batch_id=campaign.batch.pk) if campaign.status in _MOVING else []
    trial: Trial | None = getattr(campaign, "trial", None)
    contenders = _contenders(campaign, mail.sum_by_content(groups)) if trial else ()
    return Progress(
        destinations=mail.sum_by_destination(groups),
        contenders=contenders,
        confidence=compare([one.score for one in contenders], Metric(trial.metric)) if trial else None,
        waiting=tuple((at, people) for at, people in waiting if at is not None and at > now),
        held=sum(people for at, people in waiting if at is None),
    )


def _contenders(campaign: Campaign, counts: dict[int, BatchCounts]) -> tuple[Contender, ...]:
    variants = list_variants(campaign=campaign)
    own = variants["A"]
    return tuple(
        Contender(score, words.subject, words.sender_name, has_own_body=words is not own and words.body != own.body)
        for score, words in zip(score_contents(campaign, counts), variants.values(), strict=True)
    )
