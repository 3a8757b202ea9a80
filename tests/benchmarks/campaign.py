"""A campaign from accepted audience to written ledger, by the real sender process, against ``smtp-source``.

Ours renders every message (six variables, eight tracked links, two parts), signs it where the line says so, journals
every hand-over and appends a ledger row for each, all durable; ``smtp-source`` repeats one canned body. The clock runs
from the commit that accepts the audience to the commit that ends the batch.
"""

import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from django.db import transaction

from postroom.core.contacts.selectors import load_profiles
from postroom.core.contacts.types import Audience, Fence
from postroom.core.mail import selectors, services
from postroom.core.mail.models import Batch, Domain, Recipient, SenderAccount
from postroom.core.mail.rules.tokens import message_id_header
from postroom.core.mail.types import (
    BatchStatus,
    Composition,
    Mailing,
    MessageClass,
    NewSender,
    Outgoing,
    Provider,
    Signing,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.workers.sender.composer import Composer
from tests.benchmarks.ground import child, cpu_seconds
from tests.benchmarks.people import import_people, make_workspace, write_people
from tests.benchmarks.postfix import BODY_LENGTH, smtp_sink, smtp_source
from tests.benchmarks.rounds import Contestant, alternate, say, show

MESSAGES = 20_000
TIMEOUT_S = 300
TARGETS = {Signing.NONE: 0.9, Signing.ED25519: 0.7, Signing.RSA: 0.25}

_PARAGRAPH = "<p>The new workshops are open, {0}, and the river has its trees back; each one was planted by hand.</p>\n"
_LINKS = "".join(f'<p><a href="https://example.com/page/{number}?from=letter">Read on</a></p>\n' for number in range(8))
_VARIABLES = (
    "<p>Dear {{ first_name }} {{ last_name }} of {{ company }}, your number is {{ phone }}, you read {{ language }}, "
    "and you hear from us at {{ email }}.</p>\n"
)
_PARAGRAPHS = 22


def run(directory: Path, rounds: int) -> None:
    """Measure unsigned, Ed25519 and RSA-2048 campaigns beside two ways of running ``smtp-source``."""
    workspace = make_workspace("Campaigns")
    import_people(workspace, write_people(directory / "people.csv", MESSAGES))
    with ExitStack() as stack:
        port = stack.enter_context(smtp_sink(directory))
        command = [sys.executable, "-m", "postroom.config", "sender"]
        process = stack.enter_context(child(command, directory / "sender.log"))
        contestants = [
            Contestant("smtp-source -d -s 16", lambda: smtp_source(port, MESSAGES, "-d"), is_yardstick=True),
            Contestant("smtp-source -s 16", lambda: smtp_source(port, MESSAGES), is_yardstick=True),
        ]
        costs: dict[str, list[float]] = defaultdict(list)
        for signing, target in TARGETS.items():
            sender = _make_sender(workspace, signing, port)
            name = "campaign" if signing is Signing.NONE else f"campaign, {signing} signature"
            contestants.append(Contestant(name, _campaign(workspace, sender, process, costs[name]), target=target))
        rates = alternate(contestants, rounds)
    show(f"Campaign of {MESSAGES:,}, one sender process, into smtp-sink, messages/s", contestants, rates)
    for name, seconds in costs.items():
        say(f"  {name}: {statistics.median(seconds) * 1e6:.0f} us of processor time a message in the sender process")
    octets = _measure_message(workspace)
    say(f"  smtp-source sends {BODY_LENGTH:,} octets of body, the campaign's message has {octets:,}")


def _make_sender(workspace: Workspace, signing: Signing, port: int) -> SenderAccount:
    name = f"{signing}.news.example"
    domain = services.create_domain(workspace=workspace, name=name, actor=SYSTEM, now=clock.now())
    Domain.objects.filter(pk=domain.pk).update(signing=signing)
    new = NewSender(
        name=name,
        provider=Provider.SMTP,
        from_email=f"desk@{name}",
        domain_id=domain.pk,
        config={"host": "127.0.0.1", "port": port, "max_connections": 16},
    )
    return services.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())


def _campaign(
    workspace: Workspace, sender: SenderAccount, process: "subprocess.Popen[bytes]", costs: list[float]
) -> Callable[[], float]:
    """Return what sends one campaign; it appends the sender's processor time for each message to ``costs``."""

    def measure() -> float:
        cpu_before = cpu_seconds(process.pid)
        batch, started = _start(workspace, sender)
        deadline = started + TIMEOUT_S
        while Batch.objects.values_list("status", flat=True).get(pk=batch.pk) != BatchStatus.DONE:
            if perf_counter() > deadline or process.poll() is not None:
                sys.exit(f"The batch did not end within {TIMEOUT_S} seconds, or its sender did.")
            time.sleep(0.01)
        elapsed = perf_counter() - started
        costs.append((cpu_seconds(process.pid) - cpu_before) / MESSAGES)
        counts = selectors.count_batch(batch_id=batch.pk)
        if not counts.total == counts.delivered == MESSAGES:
            sys.exit(f"Not everybody of {MESSAGES} was delivered to: {counts}")
        return MESSAGES / elapsed

    return measure


def _start(workspace: Workspace, sender: SenderAccount) -> tuple[Batch, float]:
    """Accept the audience; return the batch and the moment before the commit that lets the sender begin."""
    with transaction.atomic():
        content = services.freeze_content(
            workspace=workspace,
            composition=_composition(),
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


def _measure_message(workspace: Workspace) -> int:
    """Return how many octets a message of the unsigned campaign has."""
    batch = Batch.objects.filter(workspace=workspace, sender__domain__signing=Signing.NONE)[0]
    recipient = Recipient.objects.filter(batch=batch)[0]
    item = Outgoing(
        message_id=recipient.pk,
        mailing=Mailing(batch.pk, batch.content_id, MessageClass.MARKETING),
        to=(recipient.email,),
        slots=load_profiles(contact_ids=[recipient.contact_id])[recipient.contact_id],
        message_id_header=message_id_header(recipient.pk, "news.example"),
    )
    composer = Composer(selectors.load_sender_profile(sender_id=batch.sender_id))
    return len(composer.compose(item, selectors.load_compiled_content(content_id=batch.content_id)).body)


def _composition() -> Composition:
    return Composition(
        subject="{{ first_name }}, the autumn letter",
        body=_VARIABLES + _LINKS + _PARAGRAPH.format("friends") * _PARAGRAPHS,
    )
