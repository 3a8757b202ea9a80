"""A bulk action killed with -9 goes on at the last edge, and so does its undo: nobody twice, nobody missed."""

import subprocess
import sys
from typing import Final

import pytest

from postroom.core.contacts import services
from postroom.core.contacts.models import BulkChange, BulkRun, Contact, ContactTag, ContactWorkspace
from postroom.core.contacts.types import BulkAction, BulkKind, RunStatus, Selection
from postroom.core.events.models import DomainEvent
from postroom.kit import clock
from tests.child_environment import child_environment
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, BATCH = 1_000, 50
CHILD: Final = """
import sys, time, django
django.setup()
from postroom.core.contacts import services
from postroom.core.contacts.services.bulk import run
from postroom.kit import clock
run.BATCH_SIZE = int(sys.argv[3])

def slow_clock():
    print("edge", flush=True)
    time.sleep(0.02)
    return clock.now()

getattr(services, sys.argv[1])(run_uid=sys.argv[2], clock=slow_clock)
"""


def kill_after(edges: int, service: str, started: BulkRun) -> None:
    """Run it in a process of its own and kill that after so many batches."""
    command = [sys.executable, "-c", CHILD, service, str(started.uid), str(BATCH)]
    with subprocess.Popen(command, env=child_environment(), stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(edges):
            assert child.stdout.readline() == "edge\n"
        child.kill()
        assert child.wait() == -9
    started.refresh_from_db()


def test_a_change_and_its_undo_survive_being_killed() -> None:
    room = make_workspace()
    people = Contact.objects.bulk_create(
        Contact(organization=room.organization, first_name=f"P{number}", created_at=NOW, updated_at=NOW)
        for number in range(PEOPLE)
    )
    ContactWorkspace.objects.bulk_create(
        ContactWorkspace(contact=one, workspace=room, created_at=NOW) for one in people
    )
    action = BulkAction(BulkKind.TAG, {"tag": "vip"})
    started = services.start_bulk(
        workspace=room, selection=Selection(), action=action, actor=make_actor(), now=clock.now()
    )
    for edges in (5, 6):
        kill_after(edges, "run_bulk", started)
        assert started.status == RunStatus.RUNNING
        assert 0 < started.processed_rows < PEOPLE
        assert started.processed_rows % BATCH == 0
        assert started.processed_rows == started.changed_rows == ContactTag.objects.count()
    services.run_bulk(run_uid=started.uid, clock=clock.now)
    started.refresh_from_db()
    assert (started.status, started.processed_rows, started.changed_rows) == (RunStatus.DONE, PEOPLE, PEOPLE)
    told = [pk for event in DomainEvent.objects.filter(name="contacts.tagged") for pk in event.data["contact_ids"]]
    assert sorted(told) == sorted(one.pk for one in people)
    services.undo_bulk(workspace=room, uid=started.uid, actor=make_actor(), now=clock.now())
    before = BulkChange.objects.count()
    kill_after(5, "run_bulk_undo", started)
    assert started.status == RunStatus.UNDOING
    assert 0 < BulkChange.objects.count() < before
    assert started.undone_rows == PEOPLE - ContactTag.objects.count()
    services.run_bulk_undo(run_uid=started.uid, clock=clock.now)
    started.refresh_from_db()
    assert (started.status, started.undone_rows, ContactTag.objects.count()) == (RunStatus.UNDONE, PEOPLE, 0)
