"""Contestants measured in turns, so that whatever else the machine does falls on all of them, and the table of it."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something with a rate: ``measure`` runs it once and returns how much it did per second.

    ``target`` is the least ratio to the first yardstick that we promise, or 0.
    """

    name: str
    measure: Callable[[], float]
    is_yardstick: bool = False
    target: float = 0.0


Rates = dict[str, list[float]]


def alternate(contestants: Sequence[Contestant], rounds: int) -> Rates:
    """Run every contestant once unmeasured, then all of them in turns, ``rounds`` times."""
    for contestant in contestants:
        contestant.measure()
    rates: Rates = {contestant.name: [] for contestant in contestants}
    for _ in range(rounds):
        for contestant in contestants:
            rates[contestant.name].append(contestant.measure())
    return rates


def show(title: str, contestants: Sequence[Contestant], rates: Rates) -> None:
    """Print medians with their range, and the ratio of each contestant to each yardstick within the same round."""
    yardsticks = [contestant.name for contestant in contestants if contestant.is_yardstick]
    rounds = len(rates[contestants[0].name])
    say(f"\n{title} ({rounds} rounds: median, lowest to highest)")
    width = max(len(contestant.name) for contestant in contestants)
    for contestant in contestants:
        mine = rates[contestant.name]
        line = f"  {contestant.name:<{width}}  {_spread(mine, '{:,.0f}'):>28}"
        for number, name in enumerate(yardsticks if not contestant.is_yardstick else (), start=1):
            ratios = [ours / theirs for ours, theirs in zip(mine, rates[name], strict=True)]
            line += f"   x{number}: {_spread(ratios, '{:.2f}')}"
        if contestant.target:
            line += f"   (target {contestant.target:.2f})"
        say(line)
    for number, name in enumerate(yardsticks, start=1):
        say(f"  x{number}: as a ratio to {name}")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - a program for people


def _spread(figures: Sequence[float], form: str) -> str:
    low, middle, high = (form.format(each) for each in (min(figures), statistics.median(figures), max(figures)))
    return f"{middle} ({low} to {high})"
