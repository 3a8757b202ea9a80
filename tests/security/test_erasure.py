"""An erasure leaves no personal datum in any table, file or log: searched by program, in every column and octet."""

import asyncio
import io
import smtplib
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import override_settings

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, ExportRun, Suppression
from postroom.core.contacts.types import (
    AccountDetails,
    Audience,
    ConsentState,
    ContactChanges,
    ExportFormat,
    Fence,
    FieldType,
    ImportMapping,
    InteractionType,
    MemberStatus,
    NewContact,
    NewField,
    NewInteraction,
    Selection,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.events import services as events
from postroom.core.mail import selectors as ledger
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, InboundMessage, Message, SandboxMail, Transcript
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules import magic
from postroom.core.mail.services.transcripts import keep_transcripts
from postroom.core.mail.types import Composition, EventType, Hit, MessageClass, MessageStatus, NewMessage
from postroom.core.webhooks import services as webhooks
from postroom.core.webhooks.models import Call
from postroom.core.webhooks.types import EndpointTerms
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from postroom.edge.smtp import server
from postroom.edge.smtp.threads import close_connections
from postroom.kit import clock
from tests.factories import make_actor, make_workspace
from tests.security.traces import find_in_files, find_in_tables, spellings
from tests.senders import SenderChild, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = {
    "email": "zq7mail",
    "first_name": "Zq7first",
    "last_name": "Zq7läst",
    "company": "Zq7company",
    "phone": "+49 771 7719977",
    "motto": "zq7motto",
    "site": "zq7site",
    "note": "zq7note",
    "call": "zq7call",
    "old email": "zq7former",
    "old name": "Zq7maiden",
    "slot": "zq7slot",
    "header": "zq7header",
    "subject": "zq7subject",
    "body": "zq7body",
    "waiting": "zq7waiting",
    "agent": "zq7agent",
    "ip": "203.0.113.177",
    "reply": "zq7reply",
    "detail": "zq7detail",
    "property": "zq7property",
    "proof": "zq7proof",
    "staged": "zq7mail@example.net",
}
ADDRESS = "zq7mail@example.net"
FORMER = "zq7former@example.net"


@dataclass(frozen=True)
class World:
    """A workspace in which a person has left traces everywhere, and somebody else who stays."""

    workspace: Workspace
    ada: Contact
    bob: Contact
    paused: Batch


class Sandbox:
    """The sandbox and the inbound server on free ports, in a thread of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.servers = [self._listen(server.listen_sandbox), self._listen(server.listen_inbound)]
        self.port, self.inbound_port = (one.sockets[0].getsockname()[1] for one in self.servers)

    def _listen(self, listen: object) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(listen("127.0.0.1", 0), self._loop).result(10)  # type: ignore[operator]

    def close(self) -> None:
        """Stop listening."""
        for one in self.servers:
            self._loop.call_soon_threadsafe(one.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        close_connections()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=tmp_path / "storage"):
        yield tmp_path / "storage"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    running = Sandbox()
    monkeypatch.setenv("POSTROOM_SANDBOX_PORT", str(running.port))
    yield running
    running.close()


@pytest.fixture
def start_sender(tmp_path: Path) -> Iterator[Callable[[], SenderChild]]:
    children: list[SenderChild] = []

    def start() -> SenderChild:
        children.append(SenderChild(tmp_path / "data"))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def make_people(workspace: Workspace) -> tuple[Contact, Contact]:
    """Return the person with a trace in every field, merged out of two, and somebody else."""
    for key, type_ in (("motto", FieldType.TEXT), ("site", FieldType.URL)):
        contacts.create_field(
            workspace=workspace, new=NewField(label=key, key=key, type=type_), actor=SYSTEM, now=clock.now()
        )
    full = NewContact(
        email=ADDRESS,
        first_name="before",
        last_name=WORDS["last_name"],
        company=WORDS["company"],
        phone=WORDS["phone"],
        custom={"motto": WORDS["motto"], "site": f"https://{WORDS['site']}.example"},
        tags=("customer",),
    )
    ada = contacts.create_contact(workspace=workspace, new=full, actor=SYSTEM, now=clock.now())
    changes = ContactChanges(first_name=WORDS["first_name"])
    contacts.update_contact(workspace=workspace, uid=ada.uid, changes=changes, actor=SYSTEM, now=clock.now())
    former = replace(full, email=FORMER, last_name=WORDS["old name"])
    other = contacts.create_contact(workspace=workspace, new=former, actor=SYSTEM, now=clock.now())
    ada = contacts.merge_contacts(
        workspace=workspace, survivor_uid=ada.uid, other_uid=other.uid, choices={}, actor=SYSTEM, now=clock.now()
    )
    new = NewContact(email="bob@example.net", first_name="Bob")
    return ada, contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())


def add_belongings(workspace: Workspace, ada: Contact) -> None:
    """Give the person notes, a company, lists, consent, a suppression."""
    now, actor = clock.now(), make_actor()
    for type_, word in ((InteractionType.NOTE, "note"), (InteractionType.CALL, "call")):
        new = NewInteraction(type=type_, subject=WORDS[word], body=WORDS[word], metadata={"to": WORDS[word]})
        contacts.add_interaction(workspace=workspace, contact_uid=ada.uid, new=new, actor=actor, now=now)
    account = contacts.create_account(workspace=workspace, details=AccountDetails(name="Works"), actor=actor, now=now)
    contacts.link_account(
        workspace=workspace, uid=account.uid, contact_uid=ada.uid, role="Engineer", actor=actor, now=now
    )
    list_ = contacts.create_list(workspace=workspace, name="News", actor=actor, now=now)
    member = contacts.set_list_member(
        workspace=workspace,
        list_id=list_.pk,
        contact_id=ada.pk,
        status=MemberStatus.SUBSCRIBED,
        source="test",
        actor=actor,
        now=now,
    )
    member.properties = {"said": WORDS["property"]}
    member.save()
    category = contacts.create_category(workspace=workspace, name="Events", slug="events", actor=actor, now=now)
    contacts.set_consent(
        workspace=workspace,
        contact_id=ada.pk,
        category_id=category.pk,
        state=ConsentState.GRANTED,
        source=WORDS["proof"],
        actor=actor,
        now=now,
    )


def pass_files(workspace: Workspace) -> None:
    """Have the person in an import, its errors, an upload that waits, and an export."""
    now, actor = clock.now(), make_actor()
    rows = f"Email,Phone,Motto\n{ADDRESS},+49 1,x\n{ADDRESS} oops,{WORDS['phone']},{WORDS['motto']}\n"
    run = contacts.start_import(
        workspace=workspace,
        upload=Upload(io.BytesIO(rows.encode()), "people.csv"),
        mapping=ImportMapping(columns={"Email": "email", "Motto": "custom.motto"}),
        actor=actor,
        now=now,
    )
    contacts.run_import(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    assert run.error_rows == 1
    default_storage.save(f"staged/{workspace.pk}/upload.csv", io.BytesIO(WORDS["staged"].encode()))
    default_storage.save(f"staged/{workspace.pk}/other.csv", io.BytesIO(b"bob@example.net"))
    for format_ in ExportFormat:
        export = contacts.start_export(
            workspace=workspace, selection=Selection(search=ADDRESS), format=format_, actor=actor, now=now
        )
        contacts.run_export(run_uid=export.uid, clock=clock.now)
    assert ExportRun.objects.exclude(file="").count() == 2


def write_letters(workspace: Workspace) -> None:
    """Accept mail to the person with words of their own, one of it for later, and one in which they are copied."""
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=clock.now())
    own = Composition(subject=f"Hello {WORDS['subject']}", body=f"<p>{WORDS['body']} {{{{ slot }}}}</p>")
    to_ada = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=(ADDRESS,),
        composition=own,
        headers={"X-Customer": WORDS["header"]},
        slots={"slot": WORDS["slot"]},
        idempotency_key=f"welcome {ADDRESS}",
    )
    later = replace(
        to_ada,
        composition=Composition(subject="Later", body=f"<p>{WORDS['waiting']}</p>"),
        scheduled_at=clock.now() + timedelta(days=3),
        idempotency_key="",
    )
    former = replace(to_ada, to=(FORMER,), idempotency_key="")
    copied = replace(
        to_ada,
        to=("bob@example.net",),
        cc=(ADDRESS,),
        composition=Composition(subject="Both", body="<p>Hello both</p>"),
        headers={},
        slots={},
        idempotency_key="",
    )
    mail.accept_messages(workspace=workspace, messages=[to_ada, later, former, copied], actor=SYSTEM, now=clock.now())


def make_batch(workspace: Workspace) -> Batch:
    """Return a campaign to everybody."""
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=clock.now())
    composition = Composition(subject="News for {{ first_name }}", body="<p>Hello {{ first_name }} {{ motto }}</p>")
    content = mail.freeze_content(
        workspace=workspace, composition=composition, message_class=MessageClass.MARKETING, now=clock.now()
    )
    batch = mail.create_batch(
        workspace=workspace,
        sender_id=sender.pk,
        content_id=content.pk,
        message_class=MessageClass.MARKETING,
        fence=Fence(),
        now=clock.now(),
    )
    mail.freeze_audience(batch_id=batch.pk, audience=Audience(), now=clock.now())
    return batch


def send_and_hear_back(sandbox: Sandbox, start_sender: Callable[[], SenderChild], workspace: Workspace) -> None:
    """Let everything that may leave leave, have it opened, clicked, answered and bounced."""
    batch = make_batch(workspace)
    child = start_sender()
    wait_until(lambda: Batch.objects.get(pk=batch.pk).status == "done" and not Message.objects.filter(sent_at=None)[1:])
    child.stop()
    for message in Message.objects.exclude(sent_at=None):
        for type_ in (EventType.OPENED, EventType.CLICKED):
            hit = Hit(
                key=f"{type_}{message.pk}",
                type=type_,
                message_id=message.pk,
                at=clock.now(),
                link_index=0 if type_ is EventType.CLICKED else None,
                agent=f"Mozilla {WORDS['agent']}" if message.contact_id and ADDRESS in message.to else "Mozilla",
                ip=WORDS["ip"] if ADDRESS in message.to else "",
            )
            mail.store_hits(hits=[hit])
    captured = SandboxMail.objects.filter(recipients=[ADDRESS]).first()
    assert captured is not None
    seen = magic.Captured(
        captured.return_path, f"abuse@{settings.INBOUND_DOMAIN}", bytes(captured.raw), captured.received_at
    )
    with smtplib.SMTP("127.0.0.1", sandbox.inbound_port, timeout=10) as client:
        for one in (magic.reply_mail(ADDRESS, seen, WORDS["reply"]), magic.bounce_mail(ADDRESS, seen)):
            client.sendmail(one.mail_from, one.recipients, one.raw)
    for pk in InboundMessage.objects.values_list("pk", flat=True):
        mail.read_inbound(inbound_id=pk, now=clock.now())
    mail.apply_hits(now=clock.now(), limit=1000)
    contacts.suppress_address(
        workspace=workspace,
        email=ADDRESS,
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail=WORDS["detail"],
        actor=make_actor(),
        now=clock.now(),
    )


def plant_transcripts(workspace: Workspace) -> None:
    """Have a server's words about the person kept: for a letter to them alone, and for one to them and another."""
    for message in Message.objects.filter(workspace=workspace, batch=None).exclude(sent_at=None):
        if ADDRESS in (*message.to, *message.cc):
            refused = Result(Outcome.FAILED, 550, "5.7.1", f"<{ADDRESS}>: refused", dialogue=f"RCPT TO:<{ADDRESS}>")
            handover = Handover(message.pk, clock.now().timestamp(), refused)
            keep_transcripts(workspace_id=workspace.pk, handovers=[handover], now=clock.now())


def said_on_the_wire() -> str:
    """Everything that the packed transcripts say."""
    return " ".join(zlib.decompress(bytes(row.packed)).decode() for row in Transcript.objects.all())


def make_world(sandbox: Sandbox, start_sender: Callable[[], SenderChild]) -> World:
    """Return a workspace with the person all over it, and a campaign to them that is paused half-way."""
    workspace = make_workspace()
    terms = EndpointTerms(url="https://example.com/hook")
    webhooks.create_endpoint(workspace=workspace, door=Door.USESEND, terms=terms, actor=SYSTEM, now=clock.now())
    ada, bob = make_people(workspace)
    paused = make_batch(workspace)
    mail.pause_batch(workspace=workspace, batch_id=paused.pk, now=clock.now())
    add_belongings(workspace, ada)
    pass_files(workspace)
    write_letters(workspace)
    send_and_hear_back(sandbox, start_sender, workspace)
    plant_transcripts(workspace)
    return World(workspace, ada, bob, paused)


def erase(world: World) -> None:
    """Erase the person and let the job come back as often as it asks to."""
    contacts.erase_contact(workspace=world.workspace, uid=world.ada.uid, actor=make_actor(), now=clock.now())
    assert not Contact.objects.filter(pk=world.ada.pk, erased_at=None).exists()
    turns = [contacts.finish_erasure(contact_id=world.ada.pk, clock=clock.now) for _ in range(2)]
    assert turns == [False, True]  # the first retires her letters, the second empties them
    events.dispatch_events(now=clock.now())


def come_late(sandbox: Sandbox, captured: SandboxMail) -> None:
    """Have an old letter opened, and bounce, after its reader was erased."""
    assert captured.message_id is not None
    hit = Hit("late", EventType.OPENED, captured.message_id, clock.now(), agent=WORDS["agent"], ip=WORDS["ip"])
    mail.store_hits(hits=[hit])
    seen = magic.Captured(
        captured.return_path, f"abuse@{settings.INBOUND_DOMAIN}", bytes(captured.raw), captured.received_at
    )
    report = magic.bounce_mail(ADDRESS, seen)
    with smtplib.SMTP("127.0.0.1", sandbox.inbound_port, timeout=10) as client:
        client.sendmail(report.mail_from, report.recipients, report.raw)
    for pk in InboundMessage.objects.filter(processed_at=None).values_list("pk", flat=True):
        mail.read_inbound(inbound_id=pk, now=clock.now())
    mail.apply_hits(now=clock.now(), limit=1000)
    events.dispatch_events(now=clock.now())
    message = Message.objects.get(pk=captured.message_id)
    assert message.bounced_at is not None
    assert message.open_count > 0


def test_an_erasure_leaves_no_personal_datum_in_any_table_file_or_log(
    storage: Path,
    tmp_path: Path,
    sandbox: Sandbox,
    start_sender: Callable[[], SenderChild],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    world = make_world(sandbox, start_sender)
    words = set(WORDS.values()) | {ADDRESS, FORMER}
    assert Call.objects.filter(data__email=ADDRESS).exists()
    Call.objects.filter(data__email=ADDRESS).update(answer=f"thank you for {ADDRESS}")
    before = find_in_tables(words)
    assert {word for word, places in before.items() if not places} == set()  # the search can find
    assert find_in_files([ADDRESS], storage)[ADDRESS]
    assert sum(len(places) for places in before.values()) > 60
    assert said_on_the_wire().count(ADDRESS) >= 4

    late = SandboxMail.objects.filter(recipients=[ADDRESS]).latest("pk")
    erase(world)
    mail.resume_batch(workspace=world.workspace, batch_id=world.paused.pk, now=clock.now())
    child = start_sender()
    wait_until(lambda: Batch.objects.get(pk=world.paused.pk).status == "done")
    child.stop()
    come_late(sandbox, late)

    assert {word: places for word, places in find_in_tables(words).items() if places} == {}
    assert {word: places for word, places in find_in_files(words, tmp_path).items() if places} == {}
    assert [word for word in words if word.lower() in said_on_the_wire().lower()] == []
    said = caplog.text + "".join(capfd.readouterr())
    assert [word for word in words for form in spellings(word) if form.lower() in said.lower()] == []

    counts = ledger.count_batch(batch_id=world.paused.pk)
    assert (counts.sent, counts.suppressed, counts.pending) == (1, 1, 0)
    waiting = Message.objects.filter(status__in=[MessageStatus.QUEUED, MessageStatus.DEFERRED])
    assert not waiting.exists()
    both = Message.objects.get(to=["bob@example.net"], batch=None)
    assert (both.cc, both.status) == ([], MessageStatus.SENT)
    assert bytes(SandboxMail.objects.filter(recipients=["bob@example.net"]).latest("pk").raw)
    assert default_storage.exists(f"staged/{world.workspace.pk}/other.csv")
    erased = Suppression.objects.filter(reason=SuppressionReason.ERASED)
    assert [(row.scope, row.email, row.detail) for row in erased] == 2 * [("organization", "", "")]
