"""R14: ten workers in a row are killed inside the rescue of stalled jobs; the next carries on, and nothing stays."""

import random
import time
from pathlib import Path
from typing import Final

import pytest

from postroom.kit.jobs import Job, defer
from tests.chaos.figures import show_figures
from tests.chaos.workers import Workers, count_orphans, job_rows, words
from tests.senders import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]

DEATHS: Final = 10
AT_ONCE: Final = 4  # jobs of one worker as shipped
JOBS: Final = AT_ONCE * (DEATHS + 1)


def test_a_rescuer_that_is_killed_is_followed_by_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(1 << 30)
    chance, trace, deaths = random.Random(seed), tmp_path / "trace", tmp_path / "deaths"
    trace.touch()
    deaths.mkdir()
    for number in range(JOBS):
        defer(Job("chaos.slow_at_first"), number=number, deaths=DEATHS)
    with Workers(1, trace):  # dies with the first jobs in its hands
        wait_until(lambda: len(words(trace, "begun")) == AT_ONCE, timeout_s=60)
    for number in range(DEATHS):
        (deaths / f"{number:02d}").write_text(str(chance.randrange(AT_ONCE)))
    started = time.monotonic()
    with Workers(1, trace, deaths):
        wait_until(lambda: len(words(trace, "dies")) == DEATHS, timeout_s=900)
        last = time.monotonic()
        wait_until(lambda: count_orphans() == 0 and len(words(trace, "up")) > DEATHS + 1, timeout_s=240)
        orphans_s = time.monotonic() - last
        wait_until(lambda: not job_rows("chaos.slow_at_first"), timeout_s=240)
        everything_s = time.monotonic() - last

    fell = [float(at) for at, *_ in words(trace, "dies")]
    rescues = [float(at) for at, *_ in words(trace, "rescue")]
    gaps = [rescue - death for death, rescue in zip(fell, rescues[1:], strict=False)]
    figures: dict[str, object] = {
        "seed": seed,
        "killed inside the rescue": len(fell),
        "next rescue after (s), median and most": f"{sorted(gaps)[len(gaps) // 2]:.1f}, {max(gaps):.1f} (at most 60)",
        "no job in dead hands after (s)": f"{orphans_s:.1f} (at most 120)",
        "all jobs done after (s)": round(everything_s, 1),
        "jobs begun": len(words(trace, "begun")),
        "jobs done": len(words(trace, "done")),
        "took (s)": round(time.monotonic() - started, 1),
    }
    show_figures("R14", figures, capsys)
    assert len(fell) == DEATHS
    assert max(gaps) < 60
    assert orphans_s < 120
    assert sorted(int(number) for _, number in words(trace, "done")) == list(range(JOBS)), "each once, none parked"
