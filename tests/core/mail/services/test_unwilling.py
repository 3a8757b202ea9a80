"""D8: ten thousand people in random states, every path mail can take, the real sender and a real server: whoever must
not get a piece of mail gets none of it, and whoever may gets it once.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import (
    Category,
    Consent,
    Contact,
    ContactWorkspace,
    List,
    ListMember,
    Suppression,
)
from postroom.core.contacts.types import (
    Audience,
    ConsentState,
    Fence,
    MailState,
    MemberStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Message, SenderAccount
from postroom.core.mail.types import BatchStatus, Composition, MessageClass, MessageStatus, NewMessage
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from postroom.kit import clock, crypto
from tests.api.clients import make_client
from tests.core.contacts.test_may_we_mail import Mail, expected
from tests.factories import make_workspace
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

PEOPLE: Final = 10_000
CLASSES: Final = tuple(MessageClass)
WANTED: Final = frozenset({MessageClass.MARKETING, MessageClass.OUTREACH})
REASONS: Final = ("erased", "complaint", "banned", "hard_bounce", "manual", "unsubscribed")
BATCH: Final = 500
_SUBJECT: Final = re.compile(rb"^Subject: (\S+)", re.MULTILINE)
_LIVE: Final = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.WIRE, MessageStatus.DEFERRED)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]


class Room:
    """A workspace with a list, a category and ten thousand people who all said yes to everything."""

    def __init__(self, port: int) -> None:
        self.workspace: Workspace = make_workspace()
        self.list: List = contacts.create_list(workspace=self.workspace, name="L", actor=SYSTEM, now=clock.now())
        self.category: Category = contacts.create_category(
            workspace=self.workspace, name="G", slug="g", actor=SYSTEM, now=clock.now()
        )
        self.sender: SenderAccount = make_smtp_sender(self.workspace, port, connections=8)
        self.people = self._make_people()

    @property
    def fence(self) -> Fence:
        return Fence(list_ids=(self.list.pk,), category_id=self.category.pk)

    def _make_people(self) -> list[Contact]:
        now = clock.now()
        made = Contact.objects.bulk_create(
            Contact(
                organization_id=self.workspace.organization_id,
                email=f"p{number}@people.example",
                address_hash=crypto.address_hash(f"p{number}@people.example"),
                created_at=now,
                updated_at=now,
            )
            for number in range(PEOPLE)
        )
        ContactWorkspace.objects.bulk_create(
            ContactWorkspace(contact=one, workspace=self.workspace, created_at=now) for one in made
        )
        ListMember.objects.bulk_create(
            ListMember(list=self.list, contact=one, status="subscribed", created_at=now, updated_at=now) for one in made
        )
        Consent.objects.bulk_create(
            Consent(category=self.category, contact=one, state="granted", updated_at=now) for one in made
        )
        return made


def draw_states(room: Room, chance: random.Random) -> dict[str, MailState]:
    """Give everybody a random state, written straight into the tables; return them by address as they were drawn."""
    states, suppressions = {}, []
    for one in room.people:
        # One in each scope at most, as the table allows; the gravest comes first.
        found = {scope: chance.choice(REASONS) for scope in SuppressionScope if chance.random() < 0.08}
        suppressions += [_suppression(room, one, reason, scope) for scope, reason in found.items()]
        drawn = sorted(found.values(), key=REASONS.index)
        states[one.email or ""] = MailState(
            address=one.email or "",
            contact_id=one.pk,
            is_erased=chance.random() < 0.03,
            suppression=SuppressionReason(drawn[0]) if drawn else None,
            is_globally_opted_out=chance.random() < 0.08,
            is_workspace_unsubscribed=chance.random() < 0.08,
            list_status=chance.choice((None, *MemberStatus, *[MemberStatus.SUBSCRIBED] * 8)),
            consent=chance.choice((None, ConsentState.WITHDRAWN, *[ConsentState.GRANTED] * 8)),
        )
    Suppression.objects.bulk_create(suppressions)
    _store(room, states)
    return states


def _suppression(room: Room, one: Contact, reason: str, scope: SuppressionScope) -> Suppression:
    return Suppression(
        scope=scope,
        organization_id=None if scope == SuppressionScope.PLATFORM else room.workspace.organization_id,
        workspace=room.workspace if scope == SuppressionScope.WORKSPACE else None,
        address_hash=one.address_hash,
        reason=reason,
        created_at=clock.now(),
    )


def _store(room: Room, states: dict[str, MailState]) -> None:
    def ids(test: str, value: object) -> list[int]:
        return [state.contact_id or 0 for state in states.values() if getattr(state, test) == value]

    Contact.objects.filter(pk__in=ids("is_erased", True)).update(erased_at=clock.now())
    Contact.objects.filter(pk__in=ids("is_globally_opted_out", True)).update(is_globally_opted_out=True)
    links = ContactWorkspace.objects.filter(workspace=room.workspace)
    links.filter(contact_id__in=ids("is_workspace_unsubscribed", True)).update(status="unsubscribed")
    members = ListMember.objects.filter(list=room.list)
    for status in (MemberStatus.PENDING, MemberStatus.UNSUBSCRIBED):
        members.filter(contact_id__in=ids("list_status", status)).update(status=status)
    members.filter(contact_id__in=ids("list_status", None)).delete()
    consents = Consent.objects.filter(category=room.category)
    consents.filter(contact_id__in=ids("consent", ConsentState.WITHDRAWN)).update(state="withdrawn")
    consents.filter(contact_id__in=ids("consent", None)).delete()


def composition(path: str) -> Composition:
    return Composition(subject=path, body=f"<p>{path}</p>")


def freeze(room: Room, path: str) -> Batch:
    """Freeze a campaign to the list, in the category."""
    content = mail.freeze_content(
        workspace=room.workspace,
        composition=composition(path),
        message_class=MessageClass.MARKETING,
        now=clock.now(),
    )
    batch = mail.create_batch(
        workspace=room.workspace,
        sender_id=room.sender.pk,
        content_id=content.pk,
        message_class=MessageClass.MARKETING,
        fence=room.fence,
        now=clock.now(),
    )
    mail.freeze_audience(batch_id=batch.pk, audience=Audience(list_ids=(room.list.pk,)), now=clock.now())
    return batch


def class_of(number: int) -> MessageClass:
    return CLASSES[number % len(CLASSES)]


def accept(room: Room, path: str) -> None:
    """Accept one message for everybody, of each class by turns; every other one says whom it is for."""
    messages = [
        NewMessage(
            sender_id=room.sender.pk,
            message_class=class_of(number),
            to=(f"P{number}@People.Example",),
            composition=composition(path),
            contact_id=one.pk if number % 2 and path == "queued" else None,
            list_ids=room.fence.list_ids if class_of(number) in WANTED else (),
            category_id=room.fence.category_id if class_of(number) in WANTED else None,
        )
        for number, one in enumerate(room.people)
    ]
    for some in _pieces(messages):
        mail.accept_messages(workspace=room.workspace, messages=some, actor=SYSTEM, now=clock.now())


def post(room: Room, path: str) -> None:
    """Send everybody a letter through the API, a hundred to a request."""
    client = make_client(workspace=room.workspace, door=Door.USESEND)
    for number in range(0, PEOPLE, 100):
        letters = [
            {
                "from": "desk@news.example",
                "to": f"Reader <p{one}@people.example>",
                "subject": path,
                "html": f"<p>{path}</p>",
            }
            for one in range(number, number + 100)
        ]
        assert client.post("/v1/emails/batch", letters).status == 200


def _pieces(messages: Sequence[NewMessage]) -> Iterator[list[NewMessage]]:
    rest = iter(messages)
    while some := list(islice(rest, BATCH)):
        yield some


def wanted_copies(states: dict[str, MailState]) -> Counter[tuple[str, str]]:
    """Return who may get what, by the table: (path, address)."""
    wanted: Counter[tuple[str, str]] = Counter()
    for number, (address, state) in enumerate(states.items()):
        message_class = class_of(number)
        single = Mail(message_class.value, message_class in WANTED, message_class in WANTED, False)
        for path in ("queued", "retried", "accepted"):
            wanted[path, address] += not expected(state, single)
        for path in ("running", "frozen"):
            wanted[path, address] += not expected(state, Mail("marketing", True, True, False))
        wanted["posted", address] += not expected(state, Mail("transactional", False, False, False))
    return +wanted


def test_mail_to_the_unwilling_is_none_over_every_path(tmp_path: Path) -> None:
    with Sink(Plan(keeps_bodies=True)) as sink:
        room = Room(sink.port)
        running = freeze(room, "running")
        accept(room, "queued")
        accept(room, "retried")
        retried = Message.objects.filter(content__subject="retried")
        retried.update(status=MessageStatus.DEFERRED, tries=1, attempt=1, next_attempt_at=clock.now())
        # Everybody was willing when these were frozen and queued. Now come complaints, opt-outs and the rest.
        states = draw_states(room, random.Random(8))
        frozen = freeze(room, "frozen")
        accept(room, "accepted")
        post(room, "posted")

        started = time.perf_counter()
        child = SenderChild(tmp_path)
        try:
            wait_until(lambda: _is_done(running) and _is_done(frozen) and not _is_waiting(), timeout_s=600)
        finally:
            child.stop()
        copies = Counter((_path(copy.body), copy.recipients[0]) for copy in sink.copies)
    elapsed = time.perf_counter() - started
    wanted = wanted_copies(states)
    unwilling = copies - wanted
    paths = Counter(path for path, _ in copies.elements())
    print(  # noqa: T201 - the figures are the point
        f"D8: {PEOPLE:,} states, {len({*map(_state_key, states.values())})} different; {copies.total():,} copies in"
        f" {elapsed:.0f} s {dict(paths)}; to the unwilling: {unwilling.total()}; missed: {(wanted - copies).total()}"
    )
    assert unwilling.total() == 0
    assert copies == wanted


def _is_done(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, status=BatchStatus.DONE).exists()


def _is_waiting() -> bool:
    return Message.objects.filter(status__in=_LIVE).exists()


def _path(body: bytes) -> str:
    found = _SUBJECT.search(body)
    return found[1].decode() if found else ""


def _state_key(state: MailState) -> tuple[object, ...]:
    return (
        state.is_erased,
        state.suppression,
        state.is_globally_opted_out,
        state.is_workspace_unsubscribed,
        state.list_status,
        state.consent,
    )
