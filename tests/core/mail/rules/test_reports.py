"""Mail that comes back, read from a corpus of real-shaped reports and from bombs."""

import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postroom.core.mail.rules import reports, reports_out, tokens
from postroom.core.mail.types import InboundKind

CORPUS = Path(__file__).parents[3] / "data" / "inbound"
MESSAGE = 4_711
WORDS = {
    "bounce": tokens.bounce_local_part(MESSAGE),
    "reply": tokens.reply_local_part(MESSAGE),
    "unsubscribe": tokens.unsubscribe_token(MESSAGE),
    "message_id": tokens.message_id_header(MESSAGE, "postroom.example"),
}
KINDS = {
    "bounce": InboundKind.BOUNCE,
    "delay": InboundKind.DELAY,
    "auto": InboundKind.AUTO_REPLY,
    "complaint": InboundKind.COMPLAINT,
    "reply": InboundKind.REPLY,
    "unknown": InboundKind.UNKNOWN,
}
AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
ORIGINAL = (
    "From: Post <news@postroom.example>\r\nSubject: =?utf-8?b?TMOkcm0=?=\r\n"
    f"Message-ID: {WORDS['message_id']}\r\n\r\nbody\r\n"
).encode()


def load(path: Path) -> tuple[bytes, str]:
    """Return the octets of a corpus file with true tokens in it, and the address it came to."""
    text = path.read_bytes().decode()
    for name, word in WORDS.items():
        text = text.replace(f"{{{name}}}", word)
    recipient = next(line for line in text.split("\r\n") if line.startswith("To: ")).removeprefix("To: ")
    return text.encode(), recipient


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.eml")), ids=lambda path: path.stem)
def test_a_real_shaped_mail_is_of_its_kind_and_names_its_message(path: Path) -> None:
    kind, *_, status = path.stem.split("-")
    reading = reports.read_inbound(*load(path))
    assert (reading.kind, reading.message_id) == (KINDS[kind], MESSAGE)
    assert reading.status == status.removesuffix("none")


def test_the_corpus_is_large_enough() -> None:
    counts = {kind: len(list(CORPUS.glob(f"{kind}-*.eml"))) for kind in KINDS}
    assert counts["bounce"] >= 30
    assert min(counts["delay"], counts["auto"], counts["complaint"]) >= 10


def test_a_report_with_forged_tokens_names_no_message() -> None:
    raw, recipient = load(CORPUS / "bounce-01-postfix-5.1.1.eml")
    for word in WORDS.values():
        middle = len(word) // 2
        other = "0" if word[middle] != "0" else "1"
        raw = raw.replace(word.encode(), (word[:middle] + other + word[middle + 1 :]).encode())
        recipient = recipient.replace(word, word[:middle] + other + word[middle + 1 :])
    assert reports.read_inbound(raw, recipient).message_id is None


def test_what_the_sandbox_builds_is_read_back() -> None:
    to = f"{WORDS['bounce']}@in.example"
    dsn = reports_out.build_dsn(original=ORIGINAL, recipient="bounce@x.example", return_path=to, status="5.1.1", at=AT)
    arf = reports_out.build_arf(original=ORIGINAL, recipient="complaint@x.example", to="fbl@in.example", at=AT)
    answer = reports_out.build_reply(
        original=ORIGINAL, recipient="reply@x.example", to=f"{WORDS['reply']}@in.example", text="Jä", at=AT
    )
    bounce = reports.read_inbound(dsn, to)
    assert (bounce.kind, bounce.status, bounce.message_id) == (InboundKind.BOUNCE, "5.1.1", MESSAGE)
    complaint = reports.read_inbound(arf, "fbl@in.example")
    assert (complaint.kind, complaint.message_id) == (InboundKind.COMPLAINT, MESSAGE)
    reply = reports.read_inbound(answer, f"{WORDS['reply']}@in.example")
    assert (reply.kind, reply.subject, reply.text) == (InboundKind.REPLY, "Re: Lärm", "Jä\n")


def test_a_delay_built_by_the_sandbox_is_no_bounce() -> None:
    to = f"{WORDS['bounce']}@in.example"
    raw = reports_out.build_dsn(original=ORIGINAL, recipient="slow@x.example", return_path=to, status="4.2.0", at=AT)
    assert reports.read_inbound(raw, to).kind is InboundKind.DELAY


def test_an_answer_that_cannot_smuggle_a_header_in() -> None:
    hostile = "a@x.example\r\nBcc: victim@x.example"
    for raw in (
        reports_out.build_dsn(original=ORIGINAL, recipient=hostile, return_path=hostile, status="5.1.1", at=AT),
        reports_out.build_arf(original=ORIGINAL, recipient=hostile, to=hostile, at=AT),
        reports_out.build_reply(original=ORIGINAL, recipient=hostile, to=hostile, text="x", at=AT),
    ):
        assert b"\nBcc:" not in raw


BOMBS = {
    "ten thousand parts": b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\nx\r\n" * 10_000,
    "depth of two hundred": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(200)
    ),
    "one long header": b"X: " + b"a" * 20_000_000,
    "many headers": b"A: b\r\n" * 1_000_000 + b"\r\nx",
    "nested letters": b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "open encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 200_000 + b"\r\n\r\nx",
    "open comments": b"Auto-Submitted: auto-replied\r\nContent-Type: text/html\r\n\r\n" + b"<!--" * 200_000,
    "nothing but NUL": b"\0" * 1_000_000,
    "half a status": b"From: mailer-daemon@x\r\nSubject: undeliverable\r\n\r\n" + b"5.1." * 200_000,
    "endless digits": b"From: mailer-daemon@x\r\nSubject: undeliverable\r\n\r\n" + b"a" * 960_000,
    "many parameters": b"Content-Type: multipart/mixed" + b"; a*0*=b" * 10_000 + b"\r\n\r\nx",
    "unknown charset": b"Subject: =?nope?b?eA==?=\r\nContent-Type: text/plain; charset=nope\r\n\r\n\xff\xfe",
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_read_quickly_and_in_little_memory(bomb: bytes) -> None:
    started = time.process_time()
    reports.read_inbound(bomb, "someone@in.example")
    assert time.process_time() - started < 2
    tracemalloc.start()
    reports.read_inbound(bomb, "someone@in.example")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024
