"""R15: a job that kills its worker every time is parked after three, and keeps the others waiting for seconds only."""

import time
from pathlib import Path
from typing import Final

import pytest

from postroom.kit.jobs import Job, defer
from tests.chaos.figures import show_figures
from tests.chaos.workers import Workers, count_orphans, job_rows, words

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

WORKERS: Final = 2
PATIENCE_S: Final = 240.0
INNOCENT: Final = 8


def test_a_poisonous_job_is_parked_and_the_others_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace"
    trace.touch()
    started = time.monotonic()
    with Workers(WORKERS, trace):
        while len(words(trace, "up")) < WORKERS or time.monotonic() - started < 5:
            time.sleep(0.1)
        for number in range(INNOCENT // 2):
            defer(Job("chaos.innocent"), number=number, deferred_at=time.time())
        defer(Job("chaos.poison"))
        for number in range(INNOCENT // 2, INNOCENT):
            defer(Job("chaos.innocent"), number=number, deferred_at=time.time())
        marks = 0
        while not (_is_parked() and len(words(trace, "innocent")) >= INNOCENT):
            assert time.monotonic() - started < PATIENCE_S
            defer(Job("chaos.mark"), number=marks, deferred_at=time.time())
            marks += 1
            time.sleep(0.5)
        time.sleep(1)
        took_s = time.monotonic() - started
        orphans = count_orphans()

    waits = [float(wait) for _, _, wait in words(trace, "mark")]
    innocent = {int(number): float(wait) for _, number, wait in words(trace, "innocent")}
    figures: dict[str, object] = {
        "workers killed": len(words(trace, "poison")),
        "parked": " ".join(words(trace, "parked")[0][1:]),
        "parked after (s)": round(took_s, 1),
        "other jobs meanwhile": len(waits),
        "they waited (s), median and most": f"{sorted(waits)[len(waits) // 2]:.2f}, {max(waits):.1f} (at most 30)",
        "jobs of the same worker ended after (s), most": f"{max(innocent.values()):.1f} (at most 30)",
        "jobs in dead hands": orphans,
    }
    show_figures("R15", figures, capsys)
    assert job_rows("chaos.poison") == [("failed", 3)]
    assert len(words(trace, "poison")) == 3
    assert len(words(trace, "parked")) == 1
    assert len(waits) >= marks - 2
    assert max(waits) < 30
    assert max(innocent.values()) < 30
    assert orphans == 0


def _is_parked() -> bool:
    return job_rows("chaos.poison") == [("failed", 3)]
