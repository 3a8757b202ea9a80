"""Variants: which words each has, which one wins, and how sure that is."""

from collections.abc import Mapping, Sequence
from math import erfc, sqrt
from typing import Final

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.types import Confidence, Metric, Score, TrialPlan, Verdict, Words

LETTERS: Final = "ABCDE"
LONGEST_WAIT: Final = 14 * 24 * 60
FEWEST_ACTS: Final = 10
"""With fewer people than this having acted, of all variants together, the figures say nothing."""
LUCK: Final = 0.05
"""A difference that luck alone makes this often, or more often, is too close to call."""

_DID: Final = {Metric.OPENS: "opened it", Metric.CLICKS: "clicked in it"}


def check_trial(plan: TrialPlan, *, variants: int) -> None:
    """Refuse a trial that cannot be held. Raises BadCampaign."""
    if variants > len(LETTERS) - 1:
        raise BadCampaign(f"A campaign has at most {len(LETTERS)} variants, its own words included.", field="variants")
    if not 1 <= plan.percent <= 100:
        raise BadCampaign("The sample is 1 to 100 per cent of the audience.", field="percent")
    if plan.wait_minutes is not None and not 1 <= plan.wait_minutes <= LONGEST_WAIT:
        raise BadCampaign("Wait from a minute to 14 days before the winner is sent.", field="wait_minutes")
    if plan.wanted_count is not None and plan.wanted_count < 1:
        raise BadCampaign("Wait for at least one person.", field="wanted_count")


def words_of(own: Words, variant: Words) -> Words:
    """Return all that a variant says: its own words, and its campaign's where it has none."""
    pairs = {name: getattr(variant, name) or getattr(own, name) for name in ("subject", "preheader", "sender_name")}
    # A text made for one body is no text of another.
    body, text = (variant.body, variant.text) if variant.body else (own.body, variant.text or own.text)
    return Words(**pairs, body=body, text=text)


def find_twins(variants: Mapping[str, Words]) -> tuple[str, str] | None:
    """Return the first two variants that say the same, or None."""
    seen: dict[Words, str] = {}
    for letter, words in variants.items():
        if words in seen:
            return seen[words], letter
        seen[words] = letter
    return None


def choose_winner(scores: Sequence[Score], metric: Metric) -> Verdict:
    """Return the variant that did best; among equals, and where too few people acted to tell, the first, saying so."""
    acted = sum(score.count(metric) for score in scores)
    first = scores[0].letter
    if acted < FEWEST_ACTS:
        people = "1 person" if acted == 1 else f"{acted} people"
        return Verdict(first, f"Only {people} {_DID[metric]}: too few to tell, so {first}, the first, goes on.")
    best = max(_rate(score, metric) for score in scores)
    equal = [score.letter for score in scores if _rate(score, metric) == best]
    if len(equal) > 1:
        return Verdict(equal[0], f"{' and '.join(equal)} did equally well, so {equal[0]}, the first of them, goes on.")
    return Verdict(equal[0], f"{100 * best:.1f} % of those who got {equal[0]} {_DID[metric]}: more than of any other.")


def compare(scores: Sequence[Score], metric: Metric) -> Confidence:
    """Return how sure it is that the best variant is better than the next: a two-sided test of two proportions.

    With more than two variants the chance is multiplied by the number of others it beat (Bonferroni).
    """
    told = sorted((one for one in scores if one.delivered), key=lambda one: -_rate(one, metric))
    acted = sum(score.count(metric) for score in scores)
    if len(told) < 2 or acted < FEWEST_ACTS:
        return Confidence("Too few people have acted to say anything yet.")
    best, second = told[:2]
    chance = min(1.0, _chance(best, second, metric) * (len(told) - 1))
    if chance >= LUCK:
        return Confidence("Too close to call: a difference like this is often luck.", chance)
    points = 100 * (_rate(best, metric) - _rate(second, metric))
    luck = f"{100 * chance:.1f} %" if chance >= 0.001 else "less than 0.1 %"
    return Confidence(
        f"{best.letter} leads {second.letter} by {points:.1f} points; luck alone does that in {luck}.", chance
    )


def _rate(score: Score, metric: Metric) -> float:
    return min(1.0, score.count(metric) / score.delivered) if score.delivered else 0.0


def _chance(one: Score, other: Score, metric: Metric) -> float:
    pooled = min(1.0, (one.count(metric) + other.count(metric)) / (one.delivered + other.delivered))
    spread = sqrt(pooled * (1 - pooled) * (1 / one.delivered + 1 / other.delivered))
    if spread == 0:
        return 1.0
    return erfc(abs(_rate(one, metric) - _rate(other, metric)) / spread / sqrt(2))
