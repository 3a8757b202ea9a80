"""D15: limits hold on the wire, in every window of a minute, for every provider, over several sender processes."""

import random
import time
from bisect import bisect_left
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.types import Composition, MessageClass, NewLimit, NewMessage, Per
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.chaos.figures import show_figures
from tests.factories import make_workspace
from tests.senders import SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Copy, SinkProcess

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

RUN_S: Final = 150.0
SENDERS: Final = 3
ADDRESSES: Final = ("p{}@gmail.com", "p{}@outlook.com", "p{}@yahoo.de", "p{}@people.example")


def most_in_a_minute(times: list[float]) -> int:
    """Return how many there were in the fullest 60 s."""
    times = sorted(times)
    return max((place + 1 - bisect_left(times, at - 60.0) for place, at in enumerate(times)), default=0)


def test_no_minute_on_the_wire_ever_holds_more_than_the_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(1 << 30)
    chance, workspace = random.Random(seed), make_workspace()
    limits = {
        "": chance.randint(600, 1200),
        "google": chance.randint(40, 200),
        "microsoft": chance.randint(20, 120),
        "yahoo": chance.randint(60, 300),
    }
    with SinkProcess(tmp_path / "sink.log") as sink:
        sender = make_smtp_sender(workspace, sink.port)
        for destination, most in limits.items():
            new = NewLimit(destination=destination, most=most, per=Per.MINUTE)
            mail.set_limit(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())
        make_campaign(workspace, sender, 6000, ADDRESSES)
        children = [SenderChild(tmp_path / f"sender-{number}") for number in range(SENDERS)]
        try:
            wait_until(lambda: len(sink.copies) > 0, timeout_s=60)
            began = time.time()
            while time.time() - began < RUN_S:
                time.sleep(chance.uniform(5, 20))
                _accept_urgent(sender.pk, chance.randint(1, 15))
                victim = chance.randrange(SENDERS)
                children[victim].kill()
                children[victim] = SenderChild(tmp_path / f"sender-{victim}")
            copies = sink.copies
        finally:
            for child in children:
                child.kill()
    figures = {name or "all": _figures(copies, name, most) for name, most in limits.items()}
    show_figures("D15", {"seed": seed, "seconds": RUN_S, "processes": SENDERS, **figures}, capsys)
    for name, most in limits.items():
        assert figures[name or "all"]["fullest minute"] <= most  # type: ignore[operator]
        assert figures[name or "all"]["sent"] > most  # type: ignore[operator]


def _figures(copies: list[Copy], name: str, most: int) -> dict[str, object]:
    times = [copy.at for copy in copies if not name or destination_of(copy.recipients[0]) == name]
    span_s = max(times) - min(times)
    share = len(times) / (most * span_s / 60)
    return {
        "limit": most,
        "sent": len(times),
        "fullest minute": most_in_a_minute(times),
        "of what the limit allows": f"{100 * share:.0f} %",
    }


def _accept_urgent(sender_id: int, count: int) -> None:
    workspace = SenderAccount.objects.select_related("workspace").get(pk=sender_id).workspace
    new = NewMessage(
        sender_id=sender_id,
        message_class=MessageClass.TRANSACTIONAL,
        to=("urgent@gmail.com",),
        composition=Composition("Your code", "<p>123</p>"),
    )
    mail.accept_messages(workspace=workspace, messages=[new] * count, actor=SYSTEM, now=clock.now())
