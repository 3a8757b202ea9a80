"""The inbound and the sandbox server, spoken to by a real SMTP client."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import override_settings

from postroom.core.contacts.models import Suppression
from postroom.core.contacts.types import SuppressionReason
from postroom.core.events.models import DomainEvent
from postroom.core.mail import selectors as mail_views
from postroom.core.mail import services as mail
from postroom.core.mail.models import InboundMessage, Message, SandboxMail, StoredHit
from postroom.core.mail.rules import magic, tokens
from postroom.core.mail.types import InboundKind
from postroom.core.workspaces.models import Workspace
from postroom.edge.smtp import server
from postroom.edge.smtp.threads import close_connections
from postroom.kit.paging import PageRequest
from postroom.workers.mail import answer_sandbox_mail
from tests.factories import NOW, make_workspace
from tests.ledger import make_message

pytestmark = pytest.mark.django_db(transaction=True)

LETTER: Final = (
    b"From: Desk <desk@example.com>\r\nTo: ann@example.com\r\nReply-To: %s\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: %s\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\r\n"
)
SMUGGLED: Final = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r", b"\r.\r\n", b"\r\n\x00.\r\n")


class Servers:
    """Both servers, on free ports, in a thread with a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.inbound = self._listen(server.listen_inbound)
        self.sandbox = self._listen(server.listen_sandbox)

    def _listen(self, listen: object) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(listen("127.0.0.1", 0), self.loop).result(10)  # type: ignore[operator]

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.inbound.close)
        self.loop.call_soon_threadsafe(self.sandbox.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
        close_connections()


@pytest.fixture
def servers() -> Iterator[Servers]:
    with closing(Servers()) as running:
        yield running


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def message(workspace: Workspace) -> Message:
    return make_message(workspace=workspace)


def connect(listening: asyncio.Server) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", listening.sockets[0].getsockname()[1], timeout=10)


def return_path(message: Message) -> str:
    return f"{tokens.bounce_local_part(message.pk)}@{settings.INBOUND_DOMAIN}"


def letter(message: Message) -> bytes:
    reply_to = f"{tokens.reply_local_part(message.pk)}@{settings.INBOUND_DOMAIN}"
    return LETTER % (reply_to.encode(), tokens.message_id_header(message.pk, "example.com").encode())


def captured(message: Message) -> magic.Captured:
    return magic.Captured(return_path(message), f"abuse@{settings.INBOUND_DOMAIN}", letter(message), NOW)


def read_all() -> list[InboundKind]:
    waiting = InboundMessage.objects.filter(processed_at=None).values_list("pk", flat=True)
    return [mail.read_inbound(inbound_id=number, now=NOW) for number in list(waiting)]


def test_it_takes_a_bounce_before_it_says_so_and_suppresses_the_dead_address(
    servers: Servers, message: Message
) -> None:
    report = magic.bounce_mail("ann@example.com", captured(message))
    with connect(servers.inbound) as client:
        client.sendmail("", report.recipients, report.raw)
    assert InboundMessage.objects.count() == 1

    assert read_all() == [InboundKind.BOUNCE]

    row = InboundMessage.objects.get()
    assert (row.workspace, row.message_id, row.detail["status"]) == (message.workspace, message.pk, "5.1.1")
    assert [(hit.type, hit.message_id) for hit in StoredHit.objects.all()] == [("bounced", message.pk)]
    assert Suppression.objects.get().reason == SuppressionReason.HARD_BOUNCE


def test_it_reads_an_inbound_message_once(servers: Servers, message: Message) -> None:
    report = magic.bounce_mail("ann@example.com", captured(message))
    with connect(servers.inbound) as client:
        client.sendmail("", report.recipients, report.raw)
    number = InboundMessage.objects.get().pk

    first = mail.read_inbound(inbound_id=number, now=NOW)
    again = mail.read_inbound(inbound_id=number, now=NOW)

    assert first == again == InboundKind.BOUNCE
    assert StoredHit.objects.count() == 1


def test_a_complaint_suppresses_and_a_reply_is_told(servers: Servers, message: Message) -> None:
    complaint = magic.complaint_mail("ann@example.com", captured(message))
    reply = magic.reply_mail("ann@example.com", captured(message), "Thank you")
    with connect(servers.inbound) as client:
        for each in (complaint, reply):
            client.sendmail(each.mail_from, each.recipients, each.raw)

    assert sorted(read_all()) == [InboundKind.COMPLAINT, InboundKind.REPLY]

    assert sorted(hit.type for hit in StoredHit.objects.all()) == ["complained", "replied"]
    assert Suppression.objects.get().reason == SuppressionReason.COMPLAINT
    assert DomainEvent.objects.filter(name="mail.reply_received").count() == 1


def test_it_refuses_addresses_it_never_gave_out(servers: Servers, message: Message) -> None:
    local_part, domain = return_path(message).split("@")
    forged = local_part[:-1] + ("a" if local_part[-1] != "a" else "b")
    strangers = [
        f"{forged}@{domain}",
        f"{local_part}@elsewhere.example",
        f"info@{domain}",
        f"{local_part[:20]}@{domain}",
        f"{forged}@bounces.news.example",
        "postmaster@bounces.news.example",
    ]
    with connect(servers.inbound) as client:
        client.ehlo()
        client.mail("")
        assert [client.rcpt(address)[0] for address in strangers] == [550] * 6
        assert client.rcpt(return_path(message).upper())[0] == 250
        assert client.rcpt(f"{local_part}@bounces.news.example")[0] == 250
    assert InboundMessage.objects.count() == 0


@pytest.mark.parametrize("ending", SMUGGLED)
def test_no_false_end_of_data_makes_two_mails_of_one(servers: Servers, message: Message, ending: bytes) -> None:
    address = return_path(message).encode()
    body = (
        b"Subject: one\r\n\r\none"
        + ending
        + b"MAIL FROM:<>\r\nRCPT TO:<"
        + address
        + b">\r\nDATA\r\nSubject: two\r\n\r\n"
    )
    where = servers.inbound.sockets[0].getsockname()
    with socket.create_connection(where, timeout=10) as client:
        client.sendall(
            b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + address + b">\r\nDATA\r\n" + body + b"\r\n.\r\nQUIT\r\n"
        )
        while client.recv(65536):
            pass
    assert InboundMessage.objects.count() <= 1


def test_the_sandbox_keeps_what_it_takes_for_its_own_workspace(servers: Servers, message: Message) -> None:
    with connect(servers.sandbox) as client:
        client.sendmail(return_path(message), ["ann@example.com"], letter(message))
        client.sendmail("someone@example.org", ["ann@example.com"], letter(message))

    page = mail_views.list_sandbox_mails(workspace=message.workspace, page=PageRequest())

    (kept,) = page.items
    assert (kept.message_id, kept.subject, kept.recipients) == (message.pk, "Grüße", ["ann@example.com"])
    opened = mail_views.get_sandbox_mail(workspace=message.workspace, uid=kept.uid)
    assert (opened.html.strip(), opened.text) == ("<p>Hello</p>", "")
    assert SandboxMail.objects.filter(workspace=None).count() == 1


def test_the_sandbox_keeps_every_mail_of_a_crowd(servers: Servers, message: Message) -> None:
    def send(number: int) -> None:
        with connect(servers.sandbox) as client:
            for part in range(10):
                client.sendmail(return_path(message), [f"ann-{number}-{part}@example.com"], letter(message))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))

    recipients = {each.recipients[0] for each in mail_views.iter_sandbox_mails(workspace=message.workspace)}
    assert len(recipients) == SandboxMail.objects.count() == 80


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("bounce@example.com", magic.Magic.BOUNCE),
        ("Bounce+7@example.com", magic.Magic.BOUNCE),
        ("complaint-x@example.com", magic.Magic.COMPLAINT),
        ("reply@example.com", magic.Magic.REPLY),
        ("bouncer@example.com", None),
        ("no-reply@example.com", None),
    ],
)
def test_only_whole_words_are_magic(address: str, expected: magic.Magic | None) -> None:
    assert magic.read_magic(address) is expected


def test_a_magic_recipient_makes_the_sandbox_answer_by_mail(servers: Servers, message: Message) -> None:
    everyone = ["bounce@example.com", "complaint@example.com", "reply@example.com", "ann@example.com"]
    with connect(servers.sandbox) as client:
        client.sendmail(return_path(message), everyone, letter(message))

    answers = mail.make_sandbox_answers(sandbox_mail_id=SandboxMail.objects.get().pk, now=NOW)
    with connect(servers.inbound) as client:
        for answer in answers:
            client.sendmail(answer.mail_from, answer.recipients, answer.raw)

    assert sorted(read_all()) == [InboundKind.BOUNCE, InboundKind.COMPLAINT, InboundKind.REPLY]
    assert {hit.message_id for hit in StoredHit.objects.all()} == {message.pk}


@pytest.mark.parametrize("failure", [OperationalError("the database is away"), RuntimeError("a surprise")])
@pytest.mark.parametrize(("port", "storing"), [("inbound", "store_inbound"), ("sandbox", "store_sandbox_mails")])
def test_a_mail_that_cannot_be_stored_is_refused_for_now(
    servers: Servers, message: Message, monkeypatch: pytest.MonkeyPatch, failure: Exception, port: str, storing: str
) -> None:
    def fail(**_: object) -> None:
        raise failure

    with connect(getattr(servers, port)) as client:
        with monkeypatch.context() as broken:
            broken.setattr(mail, storing, fail)
            with pytest.raises(smtplib.SMTPDataError) as refusal:
                client.sendmail("", [return_path(message)], letter(message))
        client.sendmail("", [return_path(message)], letter(message))
    assert refusal.value.smtp_code == 451
    assert InboundMessage.objects.count() + SandboxMail.objects.count() == 1


def test_a_crowd_that_is_large_enough_gets_no_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CLIENTS", 2)
    with closing(Servers()) as servers, connect(servers.inbound):
        with connect(servers.inbound):
            with pytest.raises(smtplib.SMTPConnectError) as refusal:
                connect(servers.inbound)
            assert refusal.value.smtp_code == 421
        with connect(servers.inbound) as again:
            assert again.noop()[0] == 250


def test_a_reply_that_belongs_elsewhere_is_no_failure(servers: Servers, message: Message) -> None:
    host, port = servers.inbound.sockets[0].getsockname()[:2]
    foreign = LETTER % (b"desk@elsewhere.example", b"<a@b>")
    with connect(servers.sandbox) as client:
        client.sendmail(return_path(message), ["reply@example.com", "bounce@example.com"], foreign)
    with override_settings(SMTP_HOST=host, SMTP_PORT=port):
        answer_sandbox_mail(sandbox_mail_id=SandboxMail.objects.get().pk)
    assert read_all() == [InboundKind.BOUNCE]
