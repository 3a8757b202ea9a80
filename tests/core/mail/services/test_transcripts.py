"""What was said on the wire: kept small, found again, and forgotten."""

import json
import zlib
from datetime import timedelta

import pytest

from postroom.core.mail.models import Recipient, Transcript
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.transcripts import pack, scrub, unpack
from postroom.core.mail.selectors import find_transcript
from postroom.core.mail.services import forget_transcripts
from postroom.core.mail.services.transcripts import keep_transcripts, scrub_transcripts
from tests.factories import NOW, make_workspace
from tests.ledger import SENT, make_batch, make_message

SESSION = "mx.example.com:25 [192.0.2.1] TLSv1.3\n220 mx.example.com ESMTP"
DIALOGUE = "MAIL: 250 2.1.0 Ok\nRCPT: 250 2.1.5 Ok\nDATA: 354 Go ahead"
REFUSED = Result(
    Outcome.FAILED,
    550,
    "5.1.1",
    "<ann@example.com>: no such user",
    session=SESSION,
    dialogue="MAIL: 250 Ok\nRCPT <ann@example.com>: 550 5.1.1 no such user",
)


def sent(number: int) -> Handover:
    """A hand-over that simply went well."""
    text = f"Ok: queued as {number:X}"
    return Handover(
        number, SENT.timestamp(), Result(Outcome.SENT, 250, "2.0.0", text, f"{number:X}", (), SESSION, DIALOGUE)
    )


def test_a_thousand_that_went_well_take_few_octets() -> None:
    packed = pack([sent(4_000_000 + number) for number in range(1000)])
    assert len(packed) < 4_000
    assert {one.message_id for one in unpack(packed)} == set(range(4_000_000, 4_001_000))


def test_what_is_packed_comes_out_again() -> None:
    deferral = Handover(2, 12.5, Result(Outcome.DEFERRED, 450, "4.2.0", "later", session=SESSION, dialogue="RCPT: 450"))
    partly = Handover(3, 13.5, Result(Outcome.SENT, 250, recipient_replies=(("b@example.com", 550, "5.1.1 no"),)))
    own = Handover(4, 14.5, None, "complaint")
    found = {one.message_id: one for one in unpack(pack([sent(1), deferral, partly, own]))}
    assert found.keys() == {1, 2, 3}
    assert (found[2], found[3]) == (deferral, partly)
    assert found[1].result is not None
    assert (found[1].result.session, found[1].result.dialogue) == (SESSION, DIALOGUE)


def test_scrubbing_takes_out_the_words_about_a_person_and_leaves_the_others() -> None:
    bob = Handover(2, 1.0, REFUSED._replace(text="no such user", dialogue="RCPT <bob@example.com>: 550"))
    packed = scrub(pack([Handover(1, 1.0, REFUSED), bob]), own={1}, named={1}, needles=["ann@example.com"])
    assert "ann@" not in zlib.decompress(packed).decode()
    found = {one.message_id: one.result for one in unpack(packed)}
    assert found[1] is not None
    assert (found[1].code, found[1].enhanced, found[1].text, found[1].dialogue) == (550, "5.1.1", "", "")
    assert found[2] == bob.result


def test_scrubbing_a_mail_to_several_takes_out_only_what_names_the_person() -> None:
    both = Handover(1, 1.0, REFUSED)
    assert unpack(scrub(pack([both]), own=(), named={1}, needles=["bob@example.com"])) == [both]
    named = unpack(scrub(pack([both]), own=(), named={1}, needles=["ANN@example.com"]))
    assert named[0].result is not None
    assert named[0].result.dialogue == ""


@pytest.mark.django_db
def test_each_attempt_of_a_message_is_found_in_its_order() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace)
    message = make_message(workspace=workspace, batch=batch, reply_text="Ok: queued as 7", sent_at=SENT)
    Recipient.objects.create(id=message.pk, batch=batch, chunk_number=3, contact_id=1, email="ann@example.com")
    first = Handover(message.pk, NOW.timestamp(), Result(Outcome.DEFERRED, 450, "4.2.0", "Greylisted", session=SESSION))
    keep_transcripts(workspace_id=workspace.pk, handovers=[first], now=NOW, batch_id=batch.pk, chunk_number=3)
    keep_transcripts(workspace_id=workspace.pk, handovers=[sent(message.pk), sent(5)], now=SENT)

    attempts = find_transcript(workspace=workspace, message_uid=message.uid)

    assert [(one.outcome, one.code, one.text) for one in attempts] == [
        ("deferred", 450, "Greylisted"),
        ("sent", 250, "Ok: queued as 7"),
    ]
    assert [one.at for one in attempts] == [NOW, SENT]
    assert attempts[0].kind == "greylisted"
    assert (attempts[1].session, attempts[1].dialogue) == (SESSION, DIALOGUE)


@pytest.mark.django_db
def test_a_claim_of_which_nothing_reached_a_server_leaves_no_transcript() -> None:
    keep_transcripts(workspace_id=make_workspace().pk, handovers=[Handover(1, 1.0, None, "complaint")], now=NOW)
    assert not Transcript.objects.exists()


@pytest.mark.django_db
def test_an_erased_person_is_taken_out_of_chunks_and_of_single_mail() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace)
    in_chunk, alone = make_message(workspace=workspace, batch=batch), make_message(workspace=workspace)
    Recipient.objects.create(id=in_chunk.pk, batch=batch, chunk_number=0, contact_id=1, email="ann@example.com")
    for message, place in ((in_chunk, {"batch_id": batch.pk, "chunk_number": 0}), (alone, {})):
        keep_transcripts(workspace_id=workspace.pk, handovers=[Handover(message.pk, 1.0, REFUSED)], now=NOW, **place)

    scrub_transcripts(named=[in_chunk.pk, alone.pk], own=[in_chunk.pk, alone.pk], needles=["ann@example.com"])

    words = [json.loads(zlib.decompress(bytes(row.packed)))["words"] for row in Transcript.objects.all()]
    assert len(words) == 2
    assert "ann" not in str(words)


@pytest.mark.django_db
def test_transcripts_are_forgotten_after_thirty_days_in_small_steps() -> None:
    workspace = make_workspace()
    for days in (0, 29, 31, 32, 33):
        keep_transcripts(workspace_id=workspace.pk, handovers=[sent(days + 1)], now=NOW - timedelta(days=days))
    assert forget_transcripts(now=NOW, limit=2) == 2
    assert forget_transcripts(now=NOW, limit=2) == 1
    assert forget_transcripts(now=NOW, limit=2) == 0
    assert Transcript.objects.count() == 2
