"""The sender process against a real database and a real mail server."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, Content, Message, SenderAccount
from postroom.core.mail.types import ChunkClaim, MessageClass, NewMessage, Work
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.workers.journal import Journal
from postroom.workers.sender import Pace
from postroom.workers.sender.process import SenderProcess
from tests.factories import make_workspace
from tests.senders import COMPOSITION, SenderChild, make_campaign, make_smtp_sender, wait_until
from tests.sinks import Fault, Plan, Sink, audit

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], SenderChild]


@pytest.fixture
def start_sender(tmp_path: Path) -> Iterator[Start]:
    """Start sender processes that share a machine; none outlives the test."""
    children: list[SenderChild] = []

    def start() -> SenderChild:
        children.append(SenderChild(tmp_path / "data"))
        return children[-1]

    yield start
    for child in children:
        child.kill()


def journals(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "data" / "journal").iterdir())


def is_done(batch: Batch, status: str = "done") -> Callable[[], bool]:
    return lambda: Batch.objects.get(pk=batch.pk).status == status


def send_singly(
    sender: SenderAccount, count: int, message_class: MessageClass = MessageClass.TRANSACTIONAL
) -> list[int]:
    """Accept ``count`` single messages and return their numbers."""
    messages = [
        NewMessage(
            sender_id=sender.pk,
            message_class=message_class,
            to=(f"single{number}@people.example",),
            composition=COMPOSITION,
            slots={"first_name": f"S{number}"},
        )
        for number in range(count)
    ]
    accepted = mail.accept_messages(workspace=sender.workspace, messages=messages, actor=SYSTEM, now=clock.now())
    return [one.id for one in accepted]


def has_states(count: int, *states: str) -> Callable[[], bool]:
    return lambda: Message.objects.filter(status__in=states).count() == count


def test_a_campaign_and_single_messages_arrive_once_and_the_journal_is_empty_after(
    start_sender: Start, tmp_path: Path
) -> None:
    workspace = make_workspace()
    with Sink(Plan(keeps_bodies=True)) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        batch = make_campaign(workspace, sender, 1200)
        send_singly(sender, 3)
        child = start_sender()
        wait_until(lambda: is_done(batch)() and has_states(1203, "sent")())
        assert child.stop() == 0
        found = audit(Message.objects.values_list("message_id_header", flat=True), sink.copies)
        assert (found.lost, found.duplicates, len(sink.copies)) == (frozenset(), {}, 1203)
        bodies = {copy.recipients: copy.body for copy in sink.copies}
    counts = selectors.count_batch(batch_id=batch.pk)
    assert (counts.sent, counts.delivered, counts.pending, counts.in_doubt) == (1200, 1200, 0, 0)
    body = bodies[("p7@people.example",)]
    assert b"Subject: News for P7\r\n" in body
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in body
    assert b"List-Unsubscribe" not in bodies[("single1@people.example",)]
    assert journals(tmp_path) == []


def test_urgent_mail_overtakes_a_campaign(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.02),))) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=2)
        batch = make_campaign(workspace, sender, 2000)
        child = start_sender()
        wait_until(lambda: len(sink.copies) > 20)
        (number,) = send_singly(sender, 1)
        took = wait_until(lambda: Message.objects.get(pk=number).status == "sent", timeout_s=5)
        assert took < 3
        assert not is_done(batch)()
        child.stop()


def test_a_paused_campaign_stops_within_its_open_connections_and_goes_on_without_a_second_copy(
    start_sender: Start,
) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.02),))) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=4)
        batch = make_campaign(workspace, sender, 700)
        child = start_sender()
        for goal in (30, 60, 90):
            wait_until(lambda goal=goal: len(sink.copies) > goal)  # type: ignore[misc]
            mail.pause_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())
            wait_until(is_done(batch, "paused"), timeout_s=5)
            at_pause = len(sink.copies)
            time.sleep(0.3)
            assert len(sink.copies) == at_pause
            counts = selectors.count_batch(batch_id=batch.pk)
            assert (counts.delivered, counts.pending) == (at_pause, 700 - at_pause)
            mail.resume_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())
        wait_until(lambda: len(sink.copies) > 120)
        mail.cancel_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())
        wait_until(is_done(batch, "cancelled"), timeout_s=5)
        at_cancel = len(sink.copies)
        time.sleep(0.3)
        child.stop()
        assert len(sink.copies) == at_cancel
        assert audit((), sink.copies).duplicates == {}
    counts = selectors.count_batch(batch_id=batch.pk)
    assert (counts.delivered, counts.cancelled, counts.in_doubt) == (at_cancel, 700 - at_cancel, 0)


def test_a_reply_that_is_lost_parks_marketing_and_repeats_what_must_arrive_once(
    start_sender: Start,
) -> None:
    workspace = make_workspace()
    plan = Plan(faults=(Fault("dot", action="drop", match="lost", times=20),))
    with Sink(plan) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        messages = [
            NewMessage(
                sender_id=sender.pk,
                message_class=message_class,
                to=(f"{message_class}{number}@people.example",),
                composition=type(COMPOSITION)(subject="lost", body="<p>lost</p>"),
            )
            for number in range(10)
            for message_class in (MessageClass.MARKETING, MessageClass.TRANSACTIONAL)
        ]
        mail.accept_messages(workspace=workspace, messages=messages, actor=SYSTEM, now=clock.now())
        child = start_sender()

        def all_left_once() -> bool:
            SenderAccount.objects.update(retry_at=None)  # it may rest after so many losses; not in this test
            return has_states(10, "in_doubt")() and has_states(10, "deferred")()

        wait_until(all_left_once)
        assert len(sink.copies) == 20
        Message.objects.filter(status="deferred").update(next_attempt_at=clock.now())
        wait_until(has_states(10, "sent"))
        assert child.stop() == 0
        copies = audit((), sink.copies).copies
    extra = {row.message_id_header: row.message_class for row in Message.objects.all()}
    assert sorted((extra[header], count) for header, count in copies.items()) == (
        [("marketing", 1)] * 10 + [("transactional", 2)] * 10
    )


def test_killed_senders_repeat_only_what_was_in_doubt_of_mail_that_must_arrive(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.01),))) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=4)
        send_singly(sender, 500)
        for goal in (60, 200):
            child = start_sender()
            wait_until(lambda goal=goal: len(sink.copies) > goal)  # type: ignore[misc]
            child.kill()
        child = start_sender()
        wait_until(lambda: not Message.objects.filter(status__in=("queued", "claimed")).exists())
        doubted = set(Message.objects.filter(is_resent=True).values_list("message_id_header", flat=True))
        Message.objects.filter(status="deferred").update(next_attempt_at=clock.now())
        wait_until(has_states(500, "sent"))
        assert child.stop() == 0
        found = audit(Message.objects.values_list("message_id_header", flat=True), sink.copies)
    assert found.lost == frozenset()
    assert len(doubted) <= 8
    assert set(found.duplicates) <= doubted
    assert set(found.duplicates.values()) <= {1}


def test_a_slow_answer_is_waited_for_and_makes_no_second_copy(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=2.5),))) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        send_singly(sender, 4)
        child = start_sender()
        wait_until(has_states(4, "sent"))
        child.stop()
        assert len(sink.copies) == 4


def test_a_stopped_sender_keeps_its_claims_and_a_dead_one_s_are_taken_over(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.02),))) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        batch = make_campaign(workspace, sender, 900)
        zombie = start_sender()
        wait_until(lambda: len(sink.copies) > 20)
        zombie.signal(signal.SIGSTOP)
        other = start_sender()
        time.sleep(3)  # longer than the lease
        zombie.signal(signal.SIGCONT)
        wait_until(lambda: len(sink.copies) > 300)
        zombie.kill()
        wait_until(is_done(batch))
        assert other.stop() == 0
        headers = Message.objects.filter(status="sent").values_list("message_id_header", flat=True)
        found = audit(headers, sink.copies)
        assert (found.lost, found.duplicates) == (frozenset(), {})
    counts = selectors.count_batch(batch_id=batch.pk)
    assert counts.delivered + counts.in_doubt == 900
    assert counts.in_doubt <= 4


def test_a_zombie_whose_claims_were_given_away_sends_nothing_more(start_sender: Start, tmp_path: Path) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.05),))) as sink:
        sender = make_smtp_sender(workspace, sink.port, connections=2)
        make_campaign(workspace, sender, 500)
        zombie = start_sender()
        wait_until(lambda: len(sink.copies) > 10)
        zombie.signal(signal.SIGSTOP)
        (owner,) = [path.name for path in journals(tmp_path)]
        mail.recover_claims(owner=owner, journal=_lost_journal(), now=clock.now())
        time.sleep(2.5)  # longer than the lease
        before = len(sink.copies)
        zombie.signal(signal.SIGCONT)
        time.sleep(1.5)
        assert len(sink.copies) <= before + 2  # those whose body had left when it was stopped
        zombie.stop()
    assert Message.objects.filter(status="in_doubt").count() == 500


def _lost_journal() -> object:
    from postroom.core.mail.ports import JournalReading

    return JournalReading({}, is_complete=False)


def test_lost_database_connections_cost_nothing(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("dot", delay_s=0.01),))) as sink:
        batch = make_campaign(workspace, make_smtp_sender(workspace, sink.port), 800)
        child = start_sender()
        for goal in (50, 250, 450):
            wait_until(lambda goal=goal: len(sink.copies) > goal)  # type: ignore[misc]
            drop_other_connections()
        wait_until(is_done(batch))
        assert child.stop() == 0
        found = audit(Message.objects.values_list("message_id_header", flat=True), sink.copies)
    assert (found.lost, found.duplicates) == (frozenset(), {})
    assert selectors.count_batch(batch_id=batch.pk).delivered == 800


def drop_other_connections() -> None:
    """Have the server end every connection to the test's database but this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_claim_whose_answer_was_lost_is_taken_once_more_and_others_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    settings.SENDER_CHUNK_SIZE = 3
    workspace = make_workspace()
    batch = make_campaign(workspace, make_smtp_sender(workspace, 25), 6)
    (urgent,) = send_singly(SenderAccount.objects.get(), 1)
    answers = [OperationalError("the connection broke after the commit"), None, None]
    claim = mail.claim_work

    def claim_and_lose(**what: object) -> Work | None:
        work = claim(**what)  # type: ignore[arg-type]
        if answers and (broken := answers.pop()):
            raise broken
        return work

    monkeypatch.setattr(mail, "claim_work", claim_and_lose)
    process = SenderProcess(Journal(tmp_path, "somebody"), Pace())
    process._lease.renew(process._lease.clock())

    async def claim_often() -> list[Work | None]:
        found = [await process._claim_next() for _ in range(4)]
        await process._in(process._claimer, lambda: connection.close())
        return found

    single, chunk, lost, again = asyncio.run(claim_often())
    assert single is not None
    assert [item.message_id for item in single.items] == [urgent]
    assert chunk is not None
    assert lost is None
    assert again is not None
    assert isinstance(again.claim, ChunkClaim)
    assert (again.claim.attempt, len(again.items)) == (2, 3)
    standing = mail.check_claims(owner="somebody")
    assert standing.chunks == {(chunk.claim.chunk_id, 1), (again.claim.chunk_id, 2)}  # type: ignore[union-attr]
    assert standing.messages == {(urgent, 1)}
    assert Batch.objects.get(pk=batch.pk).status == "sending"


def test_a_message_that_cannot_be_rendered_fails_alone(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink() as sink:
        sender = make_smtp_sender(workspace, sink.port)
        numbers = send_singly(sender, 3)
        broken = Content.objects.create(
            workspace=workspace,
            digest=b"x",
            subject="{% if %}",
            html="",
            text="x",
            tracks_opens=False,
            tracks_clicks=False,
            created_at=clock.now(),
        )
        Message.objects.filter(pk=numbers[1]).update(content=broken)
        child = start_sender()
        wait_until(lambda: has_states(2, "sent")() and has_states(1, "failed")())
        assert child.stop() == 0
    assert Message.objects.get(pk=numbers[1]).reply_text


def test_an_unreachable_server_rests_while_other_accounts_go_on(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink() as gone:
        dead_port = gone.port
    with Sink() as sink:
        dead = make_smtp_sender(workspace, dead_port, name="Dead")
        alive = make_smtp_sender(workspace, sink.port, name="Alive")
        send_singly(dead, 2)
        send_singly(alive, 2)
        child = start_sender()
        wait_until(has_states(2, "sent"))
        wait_until(lambda: SenderAccount.objects.get(pk=dead.pk).last_error != "")
        assert child.stop() == 0
        dead.refresh_from_db()
        assert dead.retry_at is not None
        assert Message.objects.filter(sender=dead, status="queued").count() == 2
        assert len(sink.copies) == 2


def test_a_message_that_makes_its_server_hang_up_waits_alone(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("rcpt", action="drop", match="single1@"),))) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        numbers = send_singly(sender, 5)
        child = start_sender()
        wait_until(lambda: has_states(4, "sent")() and has_states(1, "deferred")())
        assert child.stop() == 0
        assert len(sink.copies) == 4
    poison = Message.objects.get(pk=numbers[1])
    assert (poison.status, poison.tries) == ("deferred", 1)
    assert "connection was lost" in poison.reply_text


def test_a_wrong_password_pauses_the_campaign_with_the_reason_until_it_is_mended(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(login=("me", "right"))) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        sender.config = {**sender.config, "allow_insecure_auth": True}
        sender.credentials = _sealed({"username": "me", "password": "wrong"})
        sender.save()
        batch = make_campaign(workspace, sender, 10)
        child = start_sender()
        wait_until(is_done(batch, "paused"))
        assert "535" in Batch.objects.get(pk=batch.pk).error
        assert sink.copies == []
        # Its settings mended, it is tried again with them.
        SenderAccount.objects.update(credentials=_sealed({"username": "me", "password": "right"}), retry_at=None)
        mail.resume_batch(workspace=workspace, batch_id=batch.pk, now=clock.now())
        wait_until(is_done(batch))
        assert child.stop() == 0
        assert len(sink.copies) == 10


def _sealed(credentials: dict[str, str]) -> str:
    import json

    from postroom.kit import crypto

    return crypto.encrypt(json.dumps(credentials))


def test_temporary_refusals_are_tried_again_and_suppress_nobody(start_sender: Start) -> None:
    workspace = make_workspace()
    with Sink(Plan(faults=(Fault("rcpt", reply="450 4.2.1 later", times=30),))) as sink:
        sender = make_smtp_sender(workspace, sink.port)
        batch = make_campaign(workspace, sender, 60)
        child = start_sender()
        wait_until(lambda: is_done(batch)() and has_states(30, "deferred")())
        Message.objects.filter(status="deferred").update(next_attempt_at=clock.now())
        wait_until(has_states(60, "sent"))
        child.stop()
        assert len(sink.copies) == 60
    assert set(Message.objects.values_list("tries", flat=True)) == {1, 2}
