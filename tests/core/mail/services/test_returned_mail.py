"""D10 and D11: what comes back, read as it arrives: whom it is about, what it blames, and who gets no more mail."""

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from postroom.core.contacts.models import Suppression
from postroom.core.mail import services as mail
from postroom.core.mail.models import InboundMessage, Message, StoredHit
from postroom.core.mail.rules import reports, tokens
from postroom.core.mail.types import EventType, InboundKind, InboundMail, RefusalKind
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_message

CORPUS: Final = Path(__file__).parents[3] / "data" / "inbound"
NEEDED: Final = {"bounce": 60, "delay": 20, "auto": 20, "complaint": 20}
KINDS: Final = {
    "bounce": InboundKind.BOUNCE,
    "delay": InboundKind.DELAY,
    "auto": InboundKind.AUTO_REPLY,
    "complaint": InboundKind.COMPLAINT,
    "reply": InboundKind.REPLY,
    "unknown": InboundKind.UNKNOWN,
}

pytestmark = pytest.mark.django_db


class Case(NamedTuple):
    """A mail of the corpus, and what a person reads in it."""

    path: Path
    kind: str
    recipient: str
    refusal: str

    def fill(self, message_id: int) -> tuple[bytes, str]:
        """Return its octets and the address it came to, with the true tokens of a message."""
        words = {
            "bounce": tokens.bounce_local_part(message_id),
            "reply": tokens.reply_local_part(message_id),
            "unsubscribe": tokens.unsubscribe_token(message_id),
            "message_id": tokens.message_id_header(message_id, "postroom.example"),
        }
        text = self.path.read_bytes().decode()
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", word)
        to = next(line for line in text.split("\r\n") if line.startswith("To: ")).removeprefix("To: ")
        return text.encode(), to


def load_cases() -> list[Case]:
    with (CORPUS / "expected.csv").open(encoding="utf-8") as file:
        said = {row["file"]: row for row in csv.DictReader(file)}
    empty = {"recipient": "", "refusal": ""}
    return [
        Case(path, path.stem.partition("-")[0], row["recipient"], row["refusal"])
        for path in sorted(CORPUS.glob("*.eml"))
        for row in (said.get(path.stem, empty),)
    ]


CASES: Final = load_cases()


def receive(case: Case, message: Message) -> InboundMessage:
    raw, to = case.fill(message.pk)
    (key,) = mail.store_inbound(mail=InboundMail("", (to,), raw), now=NOW)
    mail.read_inbound(inbound_id=key, now=NOW)
    return InboundMessage.objects.get(pk=key)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def test_the_corpus_is_as_large_as_promised() -> None:
    counts = Counter(case.kind for case in CASES)
    assert all(counts[kind] >= number for kind, number in NEEDED.items()), counts
    assert sum("redacted" in case.path.stem or "redacted" in case.path.read_text() for case in CASES) >= 5


def test_the_recipient_and_the_class_are_right_in_19_of_20(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [case for case in CASES if case.kind in ("bounce", "delay", "auto")]
    readings = {case: reports.read_inbound(*case.fill(4_711)) for case in cases}
    wrong = [
        case.path.stem
        for case, reading in readings.items()
        if (reading.kind, reading.message_id) != (KINDS[case.kind], 4_711)
        or (case.kind != "auto" and (reading.recipient, reading.refusal or "") != (case.recipient, case.refusal))
    ]
    with capsys.disabled():
        share = 100 * (1 - len(wrong) / len(cases))
        sys.stdout.write(f"\nD10: {len(cases) - len(wrong)} of {len(cases)} right ({share:.1f} %), wrong: {wrong}\n")
    assert len(wrong) <= len(cases) / 20


def test_only_a_dead_address_is_suppressed_and_no_automatic_reply_counts(workspace: Workspace) -> None:
    batch = make_batch(workspace=workspace)
    suppressed, bounced = set(), set()
    for number, case in enumerate(CASES, start=1):
        address = f"reader-{number}@example.net"
        message = make_message(workspace=workspace, batch=batch, to=[address])
        row = receive(case, message)
        assert (row.kind, row.message_id) == (KINDS[case.kind], message.pk), case.path.stem
        if Suppression.objects.filter(email=address).exists():
            suppressed.add(case)
        if StoredHit.objects.filter(message_id=message.pk, type=EventType.BOUNCED).exists():
            bounced.add(case)
    dead = {case for case in CASES if case.refusal == RefusalKind.BAD_ADDRESS}
    assert suppressed == dead | {case for case in CASES if case.kind == "complaint"}
    assert {case.kind for case in bounced} == {"bounce"}
    assert not [case for case in suppressed if "-4." in case.path.stem]


def test_every_complaint_is_matched_through_our_own_words_and_suppresses(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [case for case in CASES if case.kind == "complaint"]
    for number, case in enumerate(cases, start=1):
        message = make_message(workspace=workspace, to=[f"reader-{number}@example.net"])
        assert receive(case, message).message_id == message.pk, case.path.stem
    assert Suppression.objects.filter(reason="complaint").count() == len(cases) >= 20
    assert StoredHit.objects.filter(type=EventType.COMPLAINED).count() == len(cases)
    with capsys.disabled():
        sys.stdout.write(f"\nD11: {len(cases)} of {len(cases)} complaints matched and suppressed\n")


def find_case(stem: str) -> Case:
    return next(case for case in CASES if case.path.stem == stem)


def test_of_several_recipients_the_one_that_bounced_is_suppressed(workspace: Workspace) -> None:
    case = find_case("bounce-01-postfix-5.1.1")
    message = make_message(
        workspace=workspace, to=["ann@example.com"], cc=["kim@customer.example"], bcc=["bo@example.com"]
    )
    receive(case, message)
    assert list(Suppression.objects.values_list("email", flat=True)) == ["kim@customer.example"]


def test_when_it_could_be_any_of_several_nobody_is_suppressed(workspace: Workspace) -> None:
    case = find_case("bounce-01-postfix-5.1.1")
    receive(case, make_message(workspace=workspace, to=["ann@example.com", "bo@example.com"]))
    assert not Suppression.objects.exists()


def test_reading_twice_changes_nothing(workspace: Workspace) -> None:
    message = make_message(workspace=workspace)
    row = receive(find_case("complaint-02-full-none"), message)
    mail.read_inbound(inbound_id=row.pk, now=NOW)
    assert Suppression.objects.count() == StoredHit.objects.count() == 1
