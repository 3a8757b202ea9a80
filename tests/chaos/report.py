"""What a run of chaos prints: one screen for people, one JSON document for programs (``var/chaos/<id>.json``)."""

import json
import statistics
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import pytest

from postroom.core.mail.models import Message
from postroom.core.mail.types import MessageStatus
from tests.sinks import Copy

PLACE: Final = Path(__file__).resolve().parents[2] / "var" / "chaos"
_FINAL: Final = {
    MessageStatus.SENT,
    MessageStatus.FAILED,
    MessageStatus.SUPPRESSED,
    MessageStatus.IN_DOUBT,
    MessageStatus.CANCELLED,
}
_PENDING: Final = {MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.DEFERRED}


@dataclass(frozen=True, slots=True)
class Kill:
    """One blow: to which process, in which state of things, and how long (s) until work went on."""

    victim: str
    state: str = ""
    recovery_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A message of which the other side has more than one copy, with how the ledger explains it."""

    message_id: str
    copies: int
    status: str
    attempts: int
    is_resent: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Plan, ledger and the mail server's own log of one run, matched recipient by recipient."""

    id: str
    planned: int
    ledger: Mapping[str, int]
    histogram: Mapping[int, int]
    lost: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    unaccounted: int
    doubtful_arrived: int
    kills: tuple[Kill, ...] = ()
    seed: int = 0
    total_s: float = 0.0
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def in_doubt(self) -> int:
        """How many messages nobody knows the fate of."""
        return self.ledger.get(MessageStatus.IN_DOUBT, 0)

    @property
    def sent(self) -> int:
        """How many messages the ledger calls sent."""
        return self.ledger.get(MessageStatus.SENT, 0)

    @property
    def extra_copies(self) -> int:
        """How many copies there are beyond the first of each message."""
        return sum(one.copies - 1 for one in self.duplicates)

    def show(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Print the report and keep it as JSON."""
        PLACE.mkdir(parents=True, exist_ok=True)
        (PLACE / f"{self.id}.json").write_text(json.dumps(asdict(self), indent=1, default=str))
        with capsys.disabled():
            sys.stdout.write(f"\n{self}\n")

    def __str__(self) -> str:
        counts = " · ".join(f"{name} {count:,}" for name, count in sorted(self.ledger.items()))
        copies = ", ".join(f"{number}: {count:,}" for number, count in sorted(self.histogram.items()))
        lines = [
            f"{self.id}  seed {self.seed} · {len(self.kills)} kills · {self.total_s:.1f} s",
            f"  planned {self.planned:,} · {counts} ({self.doubtful_arrived} of the doubtful had arrived)",
            f"  copies per Message-ID {{{copies}}} · lost {len(self.lost)} · duplicates {self.extra_copies} "
            f"· unaccounted {self.unaccounted}",
        ]
        recoveries = [kill.recovery_s for kill in self.kills if kill.recovery_s]
        if recoveries:
            lines.append(
                f"  back at work after {statistics.median(recoveries):.1f} s (p50), {max(recoveries):.1f} s (max)"
            )
        lines += [f"  twice: {one}" for one in self.duplicates[:5]]
        lines += [f"  {name}: {value}" for name, value in self.notes.items()]
        return "\n".join(lines)


def match(
    *, id: str, planned: int, copies: Sequence[Copy], kills: Sequence[Kill] = (), seed: int = 0, total_s: float = 0.0
) -> Report:
    """Return the report of everything in the ledger against the copies that the other side saw."""
    rows = list(Message.objects.values_list("message_id_header", "status", "attempt", "is_resent"))
    seen = Counter(copy.message_id for copy in copies)
    duplicates = [
        Duplicate(header, seen[header], status, attempt, is_resent)
        for header, status, attempt, is_resent in rows
        if seen[header] > 1
    ]
    known = [status for _, status, _, _ in rows if status in _FINAL | _PENDING]
    return Report(
        id=id,
        planned=planned,
        ledger=dict(Counter(status for _, status, _, _ in rows)),
        histogram=dict(Counter(seen.values())),
        lost=tuple(header for header, status, _, _ in rows if status == MessageStatus.SENT and not seen[header]),
        duplicates=tuple(duplicates),
        unaccounted=planned - len(known),
        doubtful_arrived=sum(1 for header, status, _, _ in rows if status == MessageStatus.IN_DOUBT and seen[header]),
        kills=tuple(kills),
        seed=seed,
        total_s=total_s,
    )
