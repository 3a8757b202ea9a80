"""Variants of a campaign: what each says, and how each did."""

from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.rules import LETTERS, words_of
from postroom.core.campaigns.types import Score, Words
from postroom.core.mail import selectors as mail


def own_words(campaign: Campaign) -> Words:
    """Return what a campaign itself says, which is its variant A."""
    return Words(
        subject=campaign.subject,
        preheader=campaign.preheader,
        sender_name=campaign.sender_name,
        body=campaign.body,
        text=campaign.text,
    )


def list_variants(*, campaign: Campaign) -> dict[str, Words]:
    """Return all that each variant says, by letter, the campaign's own words first."""
    own = own_words(campaign)
    rows = campaign.variants.order_by("letter")
    others = {
        row.letter: words_of(own, Words(row.subject, row.preheader, row.sender_name, row.body, row.text))
        for row in rows
    }
    return {LETTERS[0]: own, **others}


def score_variants(*, campaign: Campaign) -> list[Score]:
    """Return how each variant of a campaign that was started did, by letter."""
    batch = campaign.batch
    if batch is None:
        return []
    contents: dict[str, int | None] = {LETTERS[0]: batch.content_id}
    contents.update(campaign.variants.order_by("letter").values_list("letter", "content_id"))
    counts = mail.sum_by_content(mail.count_batch_by(batch_id=batch.pk))
    scores = []
    for letter, content_id in contents.items():
        found = counts.get(content_id or 0)
        acts = (found.delivered, found.opened, found.clicked) if found else (0, 0, 0)
        scores.append(Score(letter, *acts))
    return scores
