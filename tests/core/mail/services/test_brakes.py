"""Brakes on bounces and complaints, of a campaign and of an account."""

from datetime import timedelta
from itertools import count

import pytest

from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, BatchWatch, Chunk, Message
from postroom.core.mail.selectors.brakes import count_toll, load_levels
from postroom.core.mail.services.brakes import check_brakes, set_brake_levels
from postroom.core.mail.types import BrakeLevels, MessageClass, MessageStatus
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_message

pytestmark = pytest.mark.django_db

_numbers = count(100)


def _answer(batch: Batch, people: int, *, bounced: int = 0, complained: int = 0) -> None:
    """Have ``people`` messages of a batch answered."""
    like = make_message(workspace=batch.workspace, sender=batch.sender)
    fields = {field.attname: getattr(like, field.attname) for field in Message._meta.concrete_fields}
    fields["batch_id"] = batch.pk
    first = next(_numbers) * 100_000
    Message.objects.bulk_create(
        Message(
            **{
                **fields,
                "id": first + number,
                "uid": f"00000000-0000-7000-8000-{first + number:012x}",
                "status": MessageStatus.FAILED if number < bounced else MessageStatus.SENT,
                "sent_at": None if number < bounced else NOW,
                "bounced_at": NOW if number < bounced else None,
                "complained_at": NOW if number >= people - complained else None,
            }
        )
        for number in range(people)
    )


def _batch(**changes: object) -> Batch:
    batch = make_batch(workspace=changes.pop("workspace", None) or make_workspace(), **changes)  # type: ignore[arg-type]
    Chunk.objects.create(batch=batch, number=0, size=5000, ready_at=NOW)
    return batch


def _braked_events() -> int:
    return DomainEvent.objects.filter(name="mail.batch_braked").count()


def test_a_campaign_with_too_many_bounces_pauses_itself_and_says_so_once() -> None:
    batch = _batch()
    _answer(batch, 990, bounced=24)
    assert not check_brakes(batch_id=batch.pk, now=NOW)
    _answer(batch, 30, bounced=2)

    assert check_brakes(batch_id=batch.pk, now=NOW)
    assert not check_brakes(batch_id=batch.pk, now=NOW)

    batch.refresh_from_db()
    assert batch.status == "paused"
    assert "26 addresses refused them" in batch.error
    assert _braked_events() == 1


def test_complaints_stop_it_too() -> None:
    batch = _batch()
    _answer(batch, 2000, complained=1)

    assert check_brakes(batch_id=batch.pk, now=NOW)


def test_whoever_goes_on_gets_a_fresh_count() -> None:
    batch = _batch()
    _answer(batch, 1000, bounced=30)
    check_brakes(batch_id=batch.pk, now=NOW)
    mail.resume_batch(workspace=batch.workspace, batch_id=batch.pk, now=NOW)

    assert not check_brakes(batch_id=batch.pk, now=NOW)
    _answer(batch, 999, bounced=30)
    assert not check_brakes(batch_id=batch.pk, now=NOW)
    _answer(batch, 1)
    assert check_brakes(batch_id=batch.pk, now=NOW)


def test_a_workspace_sets_its_own_levels_within_bounds() -> None:
    batch = _batch()
    set_brake_levels(workspace=batch.workspace, levels=BrakeLevels(800, 5), actor=SYSTEM, now=NOW)
    _answer(batch, 1000, bounced=60)

    assert not check_brakes(batch_id=batch.pk, now=NOW)
    set_brake_levels(workspace=batch.workspace, levels=BrakeLevels(500, 5), actor=SYSTEM, now=NOW)
    assert load_levels(workspace=batch.workspace) == BrakeLevels(500, 5)
    assert check_brakes(batch_id=batch.pk, now=NOW)


def test_mail_that_somebody_waits_for_has_no_brake() -> None:
    batch = _batch(message_class=MessageClass.TRANSACTIONAL)
    _answer(batch, 1000, bounced=500)

    assert not check_brakes(batch_id=batch.pk, now=NOW)


def test_an_account_that_did_badly_over_a_day_stops_all_its_bulk() -> None:
    workspace = make_workspace()
    one, two = (_batch(workspace=workspace) for _ in range(2))
    Batch.objects.filter(pk=one.pk).update(sender=two.sender, status="done", finished_at=NOW)
    _answer(one, 2000, bounced=150)
    _answer(two, 100, bounced=5)

    assert not check_brakes(batch_id=two.pk, now=NOW + timedelta(hours=25))
    assert check_brakes(batch_id=two.pk, now=NOW + timedelta(hours=23))
    two.refresh_from_db()
    assert two.error.startswith("All bulk mail of this sender account stopped: over the last day, 7.4 % of")
    mail.resume_batch(workspace=workspace, batch_id=two.pk, now=NOW)
    assert not check_brakes(batch_id=two.pk, now=NOW + timedelta(hours=23))


def test_the_pace_is_sampled_every_few_seconds_and_only_the_last_minutes_are_kept() -> None:
    batch = _batch()
    _answer(batch, 10)
    for second in range(400):
        check_brakes(batch_id=batch.pk, now=NOW + timedelta(seconds=second))

    samples = BatchWatch.objects.get().samples
    assert len(samples) == 36
    assert samples[-1] == [NOW.timestamp() + 395, 10]
    assert samples == sorted(samples)
    assert count_toll(batch_id=batch.pk).answered == 10
