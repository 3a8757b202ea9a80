"""The story of several hosts, a program on a database of its own: ``python -m tests.chaos.several_hosts DIRECTORY``.

Three senders and two workers, each on a host of its own, send one campaign under a rate limit. One sender's line is cut
and mended; another sender and one worker are killed. Prints the report as JSON on its last line.
"""

import json
import os
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

import django

PEOPLE: Final = 9_000
PER_MINUTE: Final = 4_000
CONNECTIONS: Final = 4
OPENS: Final = 300


class Program:
    """One of our programs on a host, started anew after a kill on the same disk."""

    def __init__(self, host: "Host", part: str, place: Path, environment: Mapping[str, str]) -> None:
        self._command = host.command(sys.executable, "-m", "postroom.config", part)
        self._place = place / host.name
        self._place.mkdir()
        self._environment = {**environment, "POSTROOM_DATA_DIR": str(self._place)}
        self.start()

    def start(self) -> None:
        """Run."""
        with (self._place / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def kill(self) -> None:
        """End as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and make it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def main() -> None:
    """Tell the story and print its report."""
    place = Path(sys.argv[1])
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with ExitStack() as stack:
        report = tell(place, stack)
    sys.stdout.write("\n" + json.dumps(report, default=str) + "\n")


def tell(place: Path, stack: ExitStack) -> dict[str, object]:
    """Send the campaign through cut and kill; return the report as a document."""
    log = place / "copies"
    sink = stack.enter_context(SinkProcess(log, Plan(faults=(Fault("dot", delay_s=0.002),)), host=HOME))
    lines = stack.enter_context(hosts("s1", "s2", "s3", "w1", "w2"))
    workspace = make_workspace()
    sender = make_smtp_sender(workspace, sink.port, connections=CONNECTIONS, host=HOME)
    limit = NewLimit(sender_id=sender.pk, most=PER_MINUTE, per=Per.MINUTE)
    mail.set_limit(workspace=workspace, new=limit, actor=SYSTEM, now=clock.now())
    batch = make_campaign(workspace, sender, PEOPLE)
    programs = {name: start(stack, host, place) for name, host in lines.items()}
    started = time.monotonic()
    kills = []

    wait_until(lambda: copies(log) >= 1000, timeout_s=120)
    lines["s1"].cut()
    open_some(batch)
    at_cut = copies(log)
    kills.append(Kill("line of s1", f"{at_cut:,} copies out", wait_until(lambda: copies(log) > at_cut, timeout_s=60)))

    wait_until(lambda: copies(log) >= 3000, timeout_s=180)
    programs["s2"].kill()
    programs["w1"].kill()
    at_kill = copies(log)
    kills.append(Kill("s2 and w1", f"{at_kill:,} copies out", wait_until(lambda: copies(log) > at_kill, timeout_s=60)))
    programs["s2"].start()

    wait_until(lambda: copies(log) >= 5000, timeout_s=180)
    lines["s1"].mend()
    mended = time.monotonic()
    wait_until(lambda: Batch.objects.get(pk=batch.pk).status == BatchStatus.DONE, timeout_s=300)
    wait_until(lambda: DeliveryEvent.objects.filter(type=EventType.OPENED).count() == OPENS, timeout_s=120)
    seen = sink.copies
    report = match(id="hosts", planned=PEOPLE, copies=seen, kills=kills, total_s=time.monotonic() - started)
    notes = {
        "limit a minute": PER_MINUTE,
        "most in any 60 s": most_in_a_window([copy.at for copy in seen], 60.0),
        "opens applied by the worker that was left": OPENS,
        "all done after the line was mended (s)": round(time.monotonic() - mended, 1),
    }
    return {**asdict(report), "notes": notes, "text": str(report)}


def start(stack: ExitStack, host: "Host", place: Path) -> Program:
    """Start what a host is for."""
    allowed = {"POSTROOM_INTERNAL_SMTP_HOSTS": HOME, "POSTROOM_LOG_FORMAT": "json"}
    program = Program(host, "sender" if host.name.startswith("s") else "worker", place, {**os.environ, **allowed})
    stack.callback(program.stop)
    return program


def open_some(batch: "Batch") -> None:
    """Store opens of messages that have left."""
    numbers = (
        Recipient.objects.filter(batch=batch, chunk_number__isnull=False).order_by("id").values_list("id", flat=True)
    )
    hits = [
        Hit(key=f"open-{number}", type=EventType.OPENED, message_id=number, at=clock.now(), agent="Mozilla/5.0")
        for number in numbers[:OPENS]
    ]
    mail.store_hits(hits=hits)


def copies(log: Path) -> int:
    """Return how many copies have arrived."""
    return log.read_bytes().count(b"\n") if log.exists() else 0


def most_in_a_window(moments: list[float], length_s: float) -> int:
    """Return the largest number of moments in any stretch of that length."""
    ordered = sorted(moments)
    return max(
        (bisect_right(ordered, first + length_s) - number for number, first in enumerate(ordered)),
        default=0,
    )


if __name__ == "__main__":
    django.setup()

from postroom.core.mail import services as mail  # noqa: E402
from postroom.core.mail.models import Batch, DeliveryEvent, Recipient  # noqa: E402
from postroom.core.mail.types import BatchStatus, EventType, Hit  # noqa: E402
from postroom.core.mail.types.limits import NewLimit, Per  # noqa: E402
from postroom.core.workspaces.types import SYSTEM  # noqa: E402
from postroom.kit import clock  # noqa: E402
from tests.chaos.network import HOME, Host, hosts  # noqa: E402
from tests.chaos.report import Kill, match  # noqa: E402
from tests.factories import make_workspace  # noqa: E402
from tests.senders import make_campaign, make_smtp_sender, wait_until  # noqa: E402
from tests.sinks import Fault, Plan, SinkProcess  # noqa: E402

if __name__ == "__main__":
    main()
