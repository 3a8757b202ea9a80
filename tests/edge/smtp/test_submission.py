"""The submission ports, spoken to by a real SMTP client."""

import base64
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import override_settings

from postroom.core.mail.models import Message
from postroom.core.mail.services.submit import submit_requests
from postroom.core.mail.types import SubmitRequest
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import ApiKey, AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from postroom.edge.smtp import signing_in, submission
from postroom.kit import clock
from tests.edge.smtp.submitting import TRUSTING, SubmissionServers, make_key
from tests.edge.smtp.test_servers import SMUGGLED
from tests.factories import make_workspace
from tests.rfc_reader import read_mail
from tests.senders import SenderChild, make_smtp_sender, wait_until
from tests.sinks import Plan, Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[SubmissionServers]:
    with closing(SubmissionServers(tmp_path)) as running:
        yield running


@pytest.fixture
def workspace() -> Workspace:
    cache.clear()
    return make_workspace()


def letter(subject: str = "Hello", **fields: str) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Desk <desk@news.example>"
    made["To"] = "Ann <ann@people.example>"
    made["Subject"] = subject
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content("Hello Ann.\n")
    return made


PICTURE = bytes(range(256)) * 40
REPORT = b"%PDF-1.4\r\n.\r\nnot the end\n.\n" + bytes(reversed(range(256))) * 100


def full_letter() -> EmailMessage:
    """A mail with everything: names, text, HTML with a picture in it, files, fields of its own."""
    made = EmailMessage()
    made["From"] = "Zoë at the Desk <desk@news.example>"
    made["To"] = 'Ann Lee <ann@people.example>, "Lee, Bob" <bob@people.example>'
    made["Cc"] = "Çağla <cagla@people.example>"
    made["Bcc"] = "hidden@people.example"
    made["Reply-To"] = "Help <help@news.example>"
    made["Subject"] = "Grüße aus Zürich – 你好"
    made["X-Order"] = "4711"
    made["References"] = "<1@news.example> <2@news.example>"
    made["Message-ID"] = make_msgid(domain="client.example")
    made.set_content("Guten Tag,\n\n.ein Punkt am Anfang\n你好\n")
    picture = "logo@client.example"
    made.add_alternative(f'<p>Guten Tag <img src="cid:{picture}"></p>', subtype="html")
    html = made.get_payload()[1]  # type: ignore[index]
    html.add_related(PICTURE, "image", "png", cid=f"<{picture}>", filename="logo.png")  # type: ignore[union-attr]
    made.add_attachment(REPORT, maintype="application", subtype="pdf", filename="Übersicht 2026.pdf")
    return made


@pytest.mark.parametrize("is_tls", [False, True])
def test_a_mail_with_everything_arrives_whole(
    servers: SubmissionServers, workspace: Workspace, tmp_path: Path, is_tls: bool
) -> None:
    everyone = ["ann@people.example", "bob@people.example", "cagla@people.example", "hidden@people.example"]
    with Sink(Plan(keeps_bodies=True)) as sink:
        make_smtp_sender(workspace, sink.port)
        with servers.connect(is_tls=is_tls, key=make_key(workspace)) as client:
            assert client.send_message(full_letter(), to_addrs=everyone) == {}
        row = Message.objects.get()
        assert row.status == "queued"
        child = SenderChild(tmp_path / "data")
        wait_until(lambda: Message.objects.get().status == "sent")
        child.stop()
        (copy,) = sink.copies

    found = read_mail(copy.body)
    assert list(copy.recipients) == everyone
    assert (row.to, row.cc, row.bcc) == (everyone[:2], everyone[2:3], everyone[3:])
    assert found.text("From") == "Zoë at the Desk <desk@news.example>"
    assert found.text("To") == 'Ann Lee <ann@people.example>, "Lee, Bob" <bob@people.example>'
    assert found.text("Cc") == "Çağla <cagla@people.example>"
    assert found.text("Reply-To") == "Help <help@news.example>"
    assert found.text("Subject") == "Grüße aus Zürich – 你好"
    assert found.text("X-Order") == "4711"
    assert found.text("References") == "<1@news.example> <2@news.example>"
    assert found.text("X-Original-Message-ID").endswith("@client.example>")
    assert b"hidden@people.example" not in copy.body
    assert found.part("text/plain").replace("\r\n", "\n") == "Guten Tag,\n\n.ein Punkt am Anfang\n你好\n"
    assert 'src="cid:logo@client.example"' in found.part("text/html")
    parts = {part.kind: part for part in found.parts}
    assert parts["image/png"].content == PICTURE
    assert parts["image/png"].fields["content-id"].strip() == b"<logo@client.example>"
    assert parts["application/pdf"].content == REPORT
    names = [part.get_filename() for part in message_from_bytes(copy.body, policy=policy.default).iter_attachments()]
    assert "Übersicht 2026.pdf" in names


def test_it_says_250_with_the_uid_of_a_row_that_is_there(servers: SubmissionServers, workspace: Workspace) -> None:
    with servers.connect(key=make_key(workspace)) as client:
        code, words = submit(client, letter())
    assert code == 250
    assert words.startswith(b"2.0.0 Queued as ")
    row = Message.objects.get()
    assert row.uid == UUID(words.split()[-1].decode())
    assert row.workspace == workspace
    entry = AuditEntry.objects.get(act="mail.accepted")
    assert (entry.door, entry.api_key_id) == (Door.EDGE, ApiKey.objects.get().pk)


def submit(client: smtplib.SMTP, mail: EmailMessage | bytes, *recipients: str) -> tuple[int, bytes]:
    """Hand one mail over and return the last answer."""
    client.ehlo_or_helo_if_needed()
    code, words = client.mail("bounces@client.example")
    if code != 250:
        return code, words
    for one in recipients or ("ann@people.example",):
        client.rcpt(one)
    return client.data(mail if isinstance(mail, bytes) else mail.as_bytes(policy=mail.policy.clone(linesep="\r\n")))


def test_nobody_is_heard_before_tls_and_a_key(servers: SubmissionServers, workspace: Workspace) -> None:
    key = make_key(workspace)
    with smtplib.SMTP("127.0.0.1", servers.port, timeout=20) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("AUTH PLAIN", plain("usesend", key))[0] == 538
        client.starttls(context=TRUSTING)
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
        assert client.esmtp_features["size"] == str(40 * 1024 * 1024)
        assert all(client.has_extn(one) for one in ("8bitmime", "smtputf8", "pipelining"))
        assert client.mail("a@x.example")[0] == 530
        assert client.docmd("AUTH PLAIN", plain("usesend", key))[0] == 235
        assert client.mail("a@x.example")[0] == 250


def plain(user: str, password: str) -> str:
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


@pytest.mark.parametrize("user", ["usesend", "UseSend", "postroom", "apikey"])
@pytest.mark.parametrize("way", ["auth_plain", "auth_login"])
def test_several_user_names_and_both_ways_to_sign_in_will_do(
    servers: SubmissionServers, workspace: Workspace, user: str, way: str
) -> None:
    with servers.connect(is_tls=True) as client:
        client.ehlo()
        client.user, client.password = user, make_key(workspace)
        client.auth(way.removeprefix("auth_").upper(), getattr(client, way))
        assert client.mail("a@x.example")[0] == 250


@pytest.mark.parametrize(
    "make", [lambda room: "us_0000000000_" + "0" * 32, lambda room: make_key(room, door=Door.CRM), lambda room: ""]
)
def test_a_wrong_key_is_refused_at_once(
    servers: SubmissionServers,
    workspace: Workspace,
    make: Callable[[Workspace], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(submission, "WRONG_KEY_PAUSE_S", 0.01)
    with servers.connect() as client:
        client.ehlo()
        assert client.docmd("AUTH PLAIN", plain("usesend", make(workspace)))[0] == 535
        assert client.mail("a@x.example")[0] == 530


def test_a_strange_user_name_is_told_the_right_one(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "WRONG_KEY_PAUSE_S", 0.01)
    with servers.connect() as client:
        client.ehlo()
        code, words = client.docmd("AUTH PLAIN", plain("ann@people.example", make_key(workspace)))
    assert (code, words) == (535, b"5.7.8 The user name is usesend.")


def test_keys_that_may_not_send_are_told_why(servers: SubmissionServers, workspace: Workspace) -> None:
    viewer, other = make_key(workspace, role=Role.VIEWER), make_key(workspace, scopes=("read",))
    for key in (viewer, other):
        with servers.connect() as client, pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            client.login("usesend", key)
        assert refusal.value.smtp_code == 535
    with servers.connect(key=make_key(workspace, scopes=("send",))) as client:
        assert submit(client, letter())[0] == 250


def test_a_revoked_key_stops_working_within_a_second_also_where_it_is_signed_in(
    servers: SubmissionServers, workspace: Workspace
) -> None:
    with servers.connect(key=make_key(workspace)) as client:
        assert submit(client, letter())[0] == 250
        key = ApiKey.objects.get()
        workspaces.revoke_api_key(workspace=workspace, uid=key.uid, actor=SYSTEM, now=clock.now())
        time.sleep(1.05)
        assert submit(client, letter("Again"))[0] == 535
    assert Message.objects.count() == 1


def test_who_guesses_is_slowed_down_and_then_turned_away(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "WRONG_KEY_PAUSE_S", 0.05)
    monkeypatch.setattr(signing_in, "MAX_FAILURES", 7)
    answers = []
    for _ in range(2):
        with servers.connect() as client:
            client.ehlo()
            answers += [client.docmd("AUTH PLAIN", plain("usesend", f"us_{number}"))[0] for number in range(6)]
    assert answers == [535] * 5 + [421] + [535] * 2 + [454] * 3 + [421]
    with servers.connect() as client:
        client.ehlo()
        assert client.docmd("AUTH PLAIN", plain("usesend", make_key(workspace)))[0] == 454


def test_the_same_mail_twice_is_one_message(servers: SubmissionServers, workspace: Workspace) -> None:
    sent = letter(Message_ID="<1@client.example>")
    with servers.connect(key=make_key(workspace)) as client:
        first = submit(client, sent)
        again = submit(client, sent)
        to_another = submit(client, sent, "bob@people.example")
        another = submit(client, letter(Message_ID="<2@client.example>"))
    assert first == again
    assert len({first, to_another, another}) == Message.objects.count() == 3
    with servers.connect(key=make_key(workspace)) as client:
        assert submit(client, sent)[1] != first[1]


@pytest.mark.parametrize("ending", SMUGGLED)
def test_no_false_end_of_data_makes_two_mails_of_one(
    servers: SubmissionServers, workspace: Workspace, ending: bytes
) -> None:
    key = plain("usesend", make_key(workspace)).encode()
    second = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"
    head = b"From: desk@news.example\r\nSubject: one\r\n\r\n"
    with TRUSTING.wrap_socket(socket.create_connection(("127.0.0.1", servers.tls_port), timeout=20)) as client:
        client.sendall(b"EHLO x\r\nAUTH PLAIN " + key + b"\r\n" + second + head + b"one" + ending + second + head)
        client.sendall(b"two\r\n.\r\nQUIT\r\n")
        while client.recv(65536):
            pass
    assert Message.objects.count() <= 1


def test_what_is_refused_is_refused_with_the_reason(servers: SubmissionServers, workspace: Workspace) -> None:
    make_smtp_sender(workspace, 9)
    strange = letter()
    strange.replace_header("From", "desk@elsewhere.example")
    nobody = letter()
    del nobody["From"]
    empty = EmailMessage()
    empty["From"] = "desk@news.example"
    sealed = letter().as_bytes().replace(b"Content-Type: text/plain", b"Content-Type: application/pkcs7-mime")
    with servers.connect(key=make_key(workspace)) as client:
        assert submit(client, strange) == (
            550,
            b"5.7.1 Nothing of this workspace sends for the domain elsewhere.example.",
        )
        for one, word in ((nobody, b"From"), (empty, b"body"), (sealed, b"signed")):
            code, words = submit(client, one)
            assert (code, word in words) == (554, True), words
        assert client.noop()[0] == 250
    assert Message.objects.count() == 0


def test_a_key_of_another_domain_is_refused(servers: SubmissionServers, workspace: Workspace) -> None:
    make_smtp_sender(workspace, 9)
    with servers.connect(key=make_key(workspace, mail_domain="shop.example")) as client:
        assert submit(client, letter()) == (550, b"5.7.1 The key may not send for the domain news.example.")
    with servers.connect(key=make_key(workspace, mail_domain="news.example")) as client:
        assert submit(client, letter())[0] == 250


def test_a_message_takes_fifty_recipients(servers: SubmissionServers, workspace: Workspace) -> None:
    with servers.connect(key=make_key(workspace)) as client:
        client.mail("a@x.example")
        codes = [client.rcpt(f"p{number}@people.example")[0] for number in range(51)]
        assert codes == [250] * 50 + [452]
        assert client.rcpt("P1@people.example")[0] == 250
        assert client.rcpt("not an address")[0] in (501, 553)
        assert client.rcpt("a@-")[0] == 553
        assert client.data(letter().as_bytes())[0] == 250
    row = Message.objects.get()
    assert len(row.to) + len(row.cc) + len(row.bcc) == 50


@pytest.mark.parametrize("failure", [OperationalError("the database is away"), RuntimeError("a surprise")])
def test_what_cannot_be_stored_is_asked_for_again(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(**_: object) -> None:
        raise failure

    with servers.connect(key=make_key(workspace)) as client:
        with monkeypatch.context() as broken:
            broken.setattr("postroom.core.mail.services.groups.submit_requests", fail)
            assert submit(client, letter())[0] == 451
        assert submit(client, letter())[0] == 250
    assert Message.objects.count() == 1


def test_a_mail_that_is_too_large_is_refused_and_the_next_is_not(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "MAX_OCTETS", 100_000)
    with servers.connect(key=make_key(workspace)) as client:
        assert client.mail("a@x.example", ["SIZE=100001"])[0] == 552
        client.rset()
        assert submit(client, letter().as_bytes() + b"x" * 70 + b"\r\n" * 60_000)[0] == 552
        assert submit(client, letter())[0] == 250


def test_a_renewed_certificate_is_shown_to_connections_to_come(
    servers: SubmissionServers, workspace: Workspace
) -> None:
    def shown() -> bytes | None:
        with TRUSTING.wrap_socket(socket.create_connection(("127.0.0.1", servers.tls_port), timeout=20)) as client:
            return client.getpeercert(binary_form=True)

    first = shown()
    certificate, key = servers.paths
    other = certificate.parent / "other"
    server_key = key.read_bytes()
    from postroom.kit.certificates import BadCertificate, ensure_certificate

    ensure_certificate(other / "c.pem", other / "k.pem", names=["mail.example"], now=clock.now())
    certificate.write_bytes((other / "c.pem").read_bytes())
    with pytest.raises(BadCertificate):
        servers.certificate.reload()
    assert key.read_bytes() == server_key
    assert shown() == first
    key.write_bytes((other / "k.pem").read_bytes())
    assert servers.certificate.reload()
    assert not servers.certificate.reload()
    assert shown() not in (None, first)
    with servers.connect(key=make_key(workspace)) as client:
        assert submit(client, letter())[0] == 250


def test_a_certificate_can_be_trusted_by_name(servers: SubmissionServers) -> None:
    context = ssl.create_default_context(cafile=str(servers.paths[0]))
    with smtplib.SMTP_SSL("localhost", servers.tls_port, timeout=20, context=context) as client:
        assert client.noop()[0] == 250
    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", servers.tls_port, timeout=20, context=ssl.create_default_context())


def test_the_crowd_counts_a_client_that_begins_tls_once(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postroom.edge.smtp import server

    monkeypatch.setattr(server, "MAX_CLIENTS", 1)
    with closing(SubmissionServers(tmp_path)) as servers:
        with servers.connect(key=make_key(workspace)) as client:
            assert client.noop()[0] == 250
            with pytest.raises(smtplib.SMTPConnectError):
                smtplib.SMTP("127.0.0.1", servers.port, timeout=20)
        with servers.connect() as client:
            assert client.noop()[0] == 250


def test_another_user_name_can_be_configured(servers: SubmissionServers, workspace: Workspace) -> None:
    with override_settings(SUBMISSION_USER="mailer"), servers.connect(key=make_key(workspace), user="mailer") as client:
        assert client.mail("a@x.example")[0] == 250


def test_more_than_the_workspace_may_send_a_second_waits_and_then_is_asked_to_come_again(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(api_rate_limit=2)
    with servers.connect(key=make_key(workspace)) as client:
        started = time.monotonic()
        assert [submit(client, letter())[0] for _ in range(5)] == [250] * 5
        assert 1.0 < time.monotonic() - started < 4
        monkeypatch.setattr(submission, "MOST_WAITS", 1)
        codes = [submit(client, letter())[0] for _ in range(4)]
    assert 451 in codes
    assert Message.objects.count() == 5 + codes.count(250)


def test_a_silent_stranger_is_hung_up_on(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission, "STRANGER_TIMEOUT_S", 0.3)
    with servers.connect(key=make_key(workspace)) as known, servers.connect() as stranger:
        time.sleep(0.6)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            stranger.noop()
        assert known.noop()[0] == 250


def test_one_mail_that_cannot_be_stored_does_not_take_others_along(
    servers: SubmissionServers, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = submit_requests

    def fail_for_one(*, requests: list[SubmitRequest], now: datetime) -> object:
        time.sleep(0.2)  # so that the others share the next commit
        if any(one.subject == "poison" for request in requests for one in request.submissions):
            raise RuntimeError("a surprise")
        return whole(requests=requests, now=now)

    key = make_key(workspace)
    monkeypatch.setattr("postroom.core.mail.services.groups.submit_requests", fail_for_one)

    def send(subject: str) -> int:
        with servers.connect(key=key) as client:
            return submit(client, letter(subject))[0]

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(send, ["a", "b", "poison", "c", "d", "e"]))
    assert codes == [250, 250, 451, 250, 250, 250]
    assert Message.objects.count() == 5
