"""nodemailer, unchanged, hands mail over by SMTP to a running installation, and all of it arrives."""

import base64
import json
import shutil
import subprocess
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

import pytest

from tests.clients.ground import HOME, Ground
from tests.journeys.running import seconds_until

pytestmark = pytest.mark.clients

SUBJECTS: Final = ("Grüße über STARTTLS – 你好", "Grüße über TLS – 你好", "Grüße aus dem Vorrat – 你好")
RECIPIENTS: Final = ["ann@people.example", "bob@people.example", "cagla@people.example", "hidden@people.example"]
TEXT: Final = "Guten Tag 你好\n.ein Punkt am Anfang\n..zwei\nfrom the start\n" + "sehr lang " * 200 + "\n"


def octets(count: int, step: int) -> bytes:
    return bytes(at * step % 256 for at in range(count))


@pytest.mark.timeout(300)
def test_nodemailer_hands_over_envelopes_and_bodies_whole(ground: Ground) -> None:
    told = submit(ground)
    assert [(one["subject"], sorted(one["accepted"]), one["rejected"]) for one in told["sent"]] == [
        (subject, sorted(RECIPIENTS), []) for subject in SUBJECTS
    ]
    assert all(one["response"].startswith("250 2.0.0 Queued as ") for one in told["sent"])
    assert len({one["response"] for one in told["sent"]}) == len(SUBJECTS)
    assert told["wrongKey"] == {"code": "EAUTH", "status": 535}
    assert told["untrusted"]["code"] in ("ESOCKET", "ETLS", "DEPTH_ZERO_SELF_SIGNED_CERT")
    assert told["inTheClear"] != "accepted"

    captured: dict[str, dict[str, Any]] = {}

    def is_there() -> bool:
        captured.update({one["subject"]: one for one in look(ground) if one["subject"] in SUBJECTS})
        return len(captured) == len(SUBJECTS)

    seconds_until(is_there, 60)
    for subject in SUBJECTS:
        assert sorted(captured[subject]["recipients"]) == RECIPIENTS
        check(base64.b64decode(captured[subject]["raw"]), subject)


def check(raw: bytes, subject: str) -> None:
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert b"hidden@people.example" not in raw
    assert mail["Subject"] == subject
    assert mail["From"] == "Zoë at the Desk <desk@shop.example>"
    assert mail["To"] == '"Lee, Ann" <ann@people.example>, Bob <bob@people.example>'
    assert mail["Cc"] == "Çağla <cagla@people.example>"
    assert (mail["Reply-To"], mail["X-Order"]) == ("Help <help@shop.example>", "4711")
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@shop.example>", "<0@shop.example> <1@shop.example>")
    assert str(mail["X-Original-Message-ID"]).endswith("@shop.example>")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == TEXT
    assert 'src="cid:logo@shop.example"' in html.get_content()
    files = {part.get_filename(): part for part in mail.walk() if part.get_filename()}
    assert {name: part.get_payload(decode=True) for name, part in files.items()} == {
        "Übersicht 2026.pdf": octets(100_000, 7),
        "logo.png": octets(5_000, 13),
        "dots.txt": b"a\r\n.\r\n..\r\nb\r\n",
        "empty.bin": b"",
        "invite.ics": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
    }
    assert files["logo.png"]["Content-ID"] == "<logo@shop.example>"


def submit(ground: Ground) -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "nodemailer needs Node (20 or newer) on the path."
    running = ground.running
    orders = {
        "port": running.submission_port,
        "tlsPort": running.submissions_port,
        "key": ground.facts["key"],
        "certificate": str(running.data_dir / "smtp" / "certificate.pem"),
    }
    command = [node, "javascript/submit.mjs"]
    done = subprocess.run(
        command, cwd=HOME, input=json.dumps(orders), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def look(ground: Ground) -> list[dict[str, Any]]:
    done = ground.running.run_module("tests.clients.captured")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found
