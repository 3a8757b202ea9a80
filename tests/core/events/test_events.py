"""Facts are written with what made them true, and told to every subscriber exactly once."""

from datetime import timedelta

import pytest
from django.db import transaction

from postroom.core.events import selectors, services
from postroom.core.events.models import DomainEvent
from postroom.core.events.types import Event, NewEvent
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """Collect what a subscriber of ``thing.done`` hears."""
    monkeypatch.setattr(services, "_handlers", {})
    events: list[Event] = []
    services.subscribe("thing.done", events.append)
    return events


def test_a_subscriber_hears_a_fact_once(heard: list[Event]) -> None:
    room = make_workspace()
    services.record_event(workspace=room, event=NewEvent("thing.done", "thing", 7, data={"by": "hand"}), now=NOW)
    assert services.dispatch_events(now=NOW) == 1
    assert services.dispatch_events(now=NOW) == 0
    (event,) = heard
    assert (event.name, event.object_id, event.workspace_id, event.data) == ("thing.done", 7, room.pk, {"by": "hand"})


def test_facts_are_told_in_order_and_within_the_limit(heard: list[Event]) -> None:
    new = [NewEvent("thing.done", "thing", number) for number in range(5)]
    services.record_events(workspace=make_workspace(), events=new, now=NOW)
    assert services.dispatch_events(now=NOW, limit=3) == 3
    assert [event.object_id for event in heard] == [0, 1, 2]


def test_a_fact_nobody_listens_for_waits_for_nobody(heard: list[Event]) -> None:
    services.record_event(workspace=make_workspace(), event=NewEvent("thing.other", "thing", 1), now=NOW)
    assert services.dispatch_events(now=NOW) == 0
    assert DomainEvent.objects.get().dispatched_at == NOW


def test_a_fact_vanishes_with_its_transaction(heard: list[Event]) -> None:
    room = make_workspace()
    with transaction.atomic():
        services.record_event(workspace=room, event=NewEvent("thing.done", "thing", 1), now=NOW)
        transaction.set_rollback(True)
    assert services.dispatch_events(now=NOW) == 0
    assert heard == []


def test_a_failing_subscriber_is_asked_again_later_and_finally_left(heard: list[Event]) -> None:
    def fail(event: Event) -> None:
        raise ZeroDivisionError("no")

    services.subscribe("thing.done", fail)
    services.record_event(workspace=make_workspace(), event=NewEvent("thing.done", "thing", 1), now=NOW)
    assert services.dispatch_events(now=NOW) == 1
    assert services.dispatch_events(now=NOW + timedelta(seconds=1)) == 0
    for day in range(1, 20):
        services.dispatch_events(now=NOW + timedelta(days=day))
    row = DomainEvent.objects.get()
    assert row.attempts == len(heard) == services.MAX_ATTEMPTS
    assert row.error == "ZeroDivisionError: no"
    assert row.dispatched_at is not None


def test_a_persons_facts_are_listed_newest_first_within_the_workspace(heard: list[Event]) -> None:
    room, other = make_workspace(), make_workspace()
    services.record_event(workspace=room, event=NewEvent("a.b", "thing", 1, contact_id=5), now=NOW)
    services.record_event(workspace=room, event=NewEvent("a.b", "thing", 2, contact_id=5), now=LATER)
    services.record_event(workspace=room, event=NewEvent("a.b", "thing", 3, contact_id=6), now=LATER)
    services.record_event(workspace=other, event=NewEvent("a.b", "thing", 4, contact_id=5), now=LATER)
    found = selectors.list_contact_events(workspace=room, contact_id=5, limit=10)
    assert [event.object_id for event in found] == [2, 1]
