"""R16: three schedulers look at the clock for an hour, now and then one is killed; each minute is struck once."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.types import Frequency, Repeat, RepeatPlan
from postroom.core.workspaces.types import SYSTEM
from tests.chaos.figures import show_figures
from tests.core.campaigns.makers import make_draft
from tests.factories import make_contact, make_workspace
from tests.processes import child_environment

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SCHEDULERS: Final = 3
MINUTES: Final = 60
SPEED: Final = 20.0
KILL_EVERY_S: Final = 20.0
DAILY: Final = RepeatPlan(Repeat(Frequency.DAILY, datetime.min.time()), "UTC", most_runs=MINUTES)


def test_of_three_schedulers_each_minute_is_struck_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.randrange(1 << 30)
    chance, workspace = random.Random(seed), make_workspace()
    draft = make_draft(workspace=workspace, readers=[make_contact(workspace=workspace)])
    began = time.time()
    at = datetime.fromtimestamp(began, UTC)
    campaigns.repeat_campaign(workspace=workspace, uid=draft.uid, plan=DAILY, actor=SYSTEM, now=at)
    first = (at + timedelta(minutes=10)).replace(second=0, microsecond=0)
    Recurrence.objects.filter(campaign=draft).update(schedule="* * * * *", next_at=first)

    kills, last_kill = 0, time.monotonic()
    schedulers = [_start(began) for _ in range(SCHEDULERS)]
    try:
        deadline = time.monotonic() + (MINUTES + 12) * 60 / SPEED + 60
        while Recurrence.objects.get(campaign=draft).next_at is not None:
            assert time.monotonic() < deadline, "the hour does not end"
            if time.monotonic() - last_kill > KILL_EVERY_S:
                victim = chance.randrange(SCHEDULERS)
                schedulers[victim].kill()
                schedulers[victim].wait()
                schedulers[victim] = _start(began)
                kills, last_kill = kills + 1, time.monotonic()
            time.sleep(0.2)
    finally:
        for scheduler in schedulers:
            scheduler.kill()
            scheduler.wait()

    runs = Campaign.objects.filter(made_from=draft).values_list("started_at", flat=True)
    struck = Counter(started.replace(second=0, microsecond=0) for started in runs if started)
    wanted = [first + timedelta(minutes=number) for number in range(MINUTES)]
    figures: dict[str, object] = {
        "seed": seed,
        "schedulers": SCHEDULERS,
        "killed": kills,
        "minutes struck": f"{sum(1 for minute in wanted if struck[minute])} of {MINUTES}",
        "struck twice": sum(count - 1 for count in struck.values()),
    }
    show_figures("R16", figures, capsys)
    assert struck == Counter(wanted)


def _start(began: float) -> "subprocess.Popen[bytes]":
    script = str(Path(__file__).with_name("scheduler_child.py"))
    return subprocess.Popen([sys.executable, script, str(began), str(SPEED)], env=child_environment())
