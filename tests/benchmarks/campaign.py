"""A campaign from accepted audience to written ledger, by real sender processes.

Each message is rendered (six variables, eight tracked links, open pixel, List-Unsubscribe, two parts), signed where the
domain says so, journalled, and has a ledger row appended, all durable. The clock runs from the commit that accepts the
audience to the commit that ends the batch.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from django.db import transaction

from postroom.core.contacts.types import Audience, Fence
from postroom.core.mail import selectors, services
from postroom.core.mail.models import Batch, Domain, SenderAccount
from postroom.core.mail.types import BatchStatus, Composition, MessageClass, NewSender, Provider, Signing
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.kit.types import JSONValue
from tests.benchmarks.ground import child, cpu_seconds, peak_memory_kb

TIMEOUT_S = 600

_PARAGRAPH = "<p>The new workshops are open, {0}, and the river has its trees back; each one was planted by hand.</p>\n"
_LINKS = "".join(f'<p><a href="https://example.com/page/{number}?from=letter">Read on</a></p>\n' for number in range(8))
_VARIABLES = (
    "<p>Dear {{ first_name }} {{ last_name }} of {{ company }}, your number is {{ phone }}, you read {{ language }}, "
    "and you hear from us at {{ email }}.</p>\n"
)
_PARAGRAPHS = 18


@contextmanager
def sender_processes(directory: Path, count: int = 0) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run sender processes until the block ends: one per processor, or ``count``."""
    command = [sys.executable, "-m", "postroom.config", "sender"]
    with ExitStack() as stack:
        yield [
            stack.enter_context(child(command, directory / f"sender-{number}.log"))
            for number in range(count or os.cpu_count() or 1)
        ]


def make_sender(
    workspace: Workspace,
    name: str,
    config: Mapping[str, JSONValue],
    *,
    signing: Signing = Signing.NONE,
    credentials: Mapping[str, str] | None = None,
) -> SenderAccount:
    """Return an SMTP account with a domain of its own, whose keys sign as ``signing`` says."""
    host = f"{name}.news.example"
    domain = services.create_domain(workspace=workspace, name=host, actor=SYSTEM, now=clock.now())
    Domain.objects.filter(pk=domain.pk).update(signing=signing)
    new = NewSender(
        name=name,
        provider=Provider.SMTP,
        from_email=f"desk@{host}",
        domain_id=domain.pk,
        config=config,
        credentials=credentials or {},
    )
    return services.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())


@dataclass(slots=True)
class Costs:
    """What campaigns cost the senders: processor time a message (s), each time, and the largest memory of one (KB)."""

    cpu_s: list[float] = field(default_factory=list)
    peak_kb: int = 0


def campaign(
    workspace: Workspace,
    sender: SenderAccount,
    processes: "Sequence[subprocess.Popen[bytes]]",
    costs: Costs | None = None,
) -> Callable[[], float]:
    """Return what sends one campaign to everybody and returns messages a second."""

    def measure() -> float:
        before = sum(cpu_seconds(process.pid) for process in processes)
        batch, started = start_campaign(workspace, sender)
        wait_for(batch, processes, started)
        elapsed = perf_counter() - started
        counts = selectors.count_batch(batch_id=batch.pk)
        if counts.total != counts.delivered:
            sys.exit(f"Not everybody of {counts.total} was delivered to: {counts}")
        if costs is not None:
            used = sum(cpu_seconds(process.pid) for process in processes) - before
            costs.cpu_s.append(used / counts.total)
            costs.peak_kb = max(costs.peak_kb, *(peak_memory_kb(process.pid) for process in processes))
        return counts.total / elapsed

    return measure


def wait_for(batch: Batch, processes: "Sequence[subprocess.Popen[bytes]]", started: float) -> None:
    """Return when the batch has ended; end the program when it does not, or its senders do."""
    while Batch.objects.values_list("status", flat=True).get(pk=batch.pk) != BatchStatus.DONE:
        if perf_counter() - started > TIMEOUT_S or any(process.poll() is not None for process in processes):
            sys.exit(f"The batch did not end within {TIMEOUT_S} seconds, or its senders did.")
        time.sleep(0.03)  # asking costs the database, which is on the same processors


def start_campaign(workspace: Workspace, sender: SenderAccount) -> tuple[Batch, float]:
    """Accept everybody; return the batch and the moment before the commit that lets the senders begin."""
    with transaction.atomic():
        content = services.freeze_content(
            workspace=workspace,
            composition=letter(),
            message_class=MessageClass.MARKETING,
            now=clock.now(),
            sender_id=sender.pk,
        )
        batch = services.create_batch(
            workspace=workspace,
            sender_id=sender.pk,
            content_id=content.pk,
            message_class=MessageClass.MARKETING,
            fence=Fence(),
            now=clock.now(),
        )
        services.freeze_audience(batch_id=batch.pk, audience=Audience(), now=clock.now())
        started = perf_counter()
    return batch, started


def letter() -> Composition:
    """Return what is sent."""
    return Composition(
        subject="{{ first_name }}, the autumn letter",
        body=_VARIABLES + _LINKS + _PARAGRAPH.format("friends") * _PARAGRAPHS,
    )
