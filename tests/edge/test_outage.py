"""While the database is away: pixels, links and opt-outs go on, and everything is in the ledger afterwards, once."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import psutil
import pytest

from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules import tokens
from postroom.core.mail.services import hit_line
from postroom.core.mail.types import EventType, Hit
from postroom.edge.tracking.shelf import ShelfKeeper, find_on_shelf, shelf_path
from postroom.edge.unsubscribe.opt_out import OptOut
from postroom.kit.spool import Spool
from tests.edge.front_door import DatabaseSwitch, FrontDoor, front_door
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import NOW, make_workspace
from tests.ledger import make_content, make_message

URLS = ("https://example.com/one?a=1&b=2", "https://example.com/two")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
pytestmark = pytest.mark.django_db(transaction=True)


def until(is_so: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pixel(number: int) -> str:
    return f"/o/{tokens.track_token(number, 1)}.gif"


def is_on_shelf(directory: Path, content_id: int) -> bool:
    return find_on_shelf(shelf_path(directory / "edge"), content_id, 0) is not None


def stored() -> list[int]:
    return sorted(StoredHit.objects.values_list("message_id", flat=True))


def test_pixels_links_and_opt_outs_go_on_and_everything_follows_later(tmp_path: Path) -> None:
    workspace = make_workspace()
    content = make_content(workspace=workspace, urls=URLS)
    weekly = make_list(workspace)
    letter = make_letter(workspace, make_reader(workspace, weekly), weekly)
    with (
        DatabaseSwitch() as database,
        front_door(**database.environment, POSTROOM_DATA_DIR=str(tmp_path)) as door,
        httpx2.Client(base_url=door.url, timeout=20) as reader,
    ):
        until(lambda: is_on_shelf(tmp_path, content.pk))
        assert reader.get(pixel(1)).status_code == 200
        database.off()

        for number in range(2, 30):
            began = time.monotonic()
            assert reader.get(pixel(number)).status_code == 200
            assert time.monotonic() - began < 1
        for index, url in enumerate(URLS):
            click = reader.get(f"/c/{tokens.click_path(30 + index, content.pk, index)}")
            assert (click.status_code, click.headers["location"]) == (302, url)
        unknown = reader.get(f"/c/{tokens.click_path(99, content.pk, 7)}")
        assert (unknown.status_code, int(unknown.headers["retry-after"]) > 0) == (503, True)
        left = reader.post(f"/u/{tokens.unsubscribe_token(letter.pk)}", data=ONE_CLICK)
        assert (left.status_code, "unsubscribed" in left.text) == (200, True)
        assert stored() == [1]
        assert ListMember.objects.get().status == MemberStatus.SUBSCRIBED
        assert "postroom_spool_octets" in reader.get("/metrics").text

        database.on()
        until(lambda: ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED)
        until(lambda: not list((tmp_path / "edge").rglob("*.records")))
    assert stored() == sorted([*range(1, 32), letter.pk])


def test_what_waits_is_brought_in_by_the_next_process_even_if_killed_half_way(tmp_path: Path) -> None:
    environment = {"POSTROOM_DATA_DIR": str(tmp_path)}
    with DatabaseSwitch() as database, front_door(**database.environment, **environment) as door:
        database.off()
        with httpx2.Client(base_url=door.url, timeout=20) as reader:
            for number in range(200):
                assert reader.get(pixel(number)).status_code == 200
        _kill(door)
    with front_door(**environment) as door:
        _kill(door)
    with front_door(**environment):
        until(lambda: set(stored()) == set(range(200)) and not list((tmp_path / "edge").rglob("*.records")))
    keys = StoredHit.objects.values_list("key", flat=True)
    assert len(set(keys)) == 200, "whatever was stored twice will be counted once"


def test_a_record_the_database_refuses_keeps_no_other_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "edge" / "hits", capacity=10**6)
    lines = [hit_line(Hit(f"k{number}", EventType.OPENED, number, NOW)) for number in range(9)]
    spool.append([*lines[:4], b"nonsense", *lines[4:], lines[0].replace(b"\t0\t", b"\tx\t", 1)])
    spool.seal()
    with front_door(POSTROOM_DATA_DIR=str(tmp_path)):
        until(lambda: not list((tmp_path / "edge").rglob("*.records")))
    assert stored() == list(range(9))


def test_an_opt_out_of_somebody_erased_keeps_no_other_back(tmp_path: Path) -> None:
    workspace = make_workspace()
    weekly = make_list(workspace)
    letter = make_letter(workspace, make_reader(workspace, weekly), weekly)
    erased = make_message(workspace=workspace, to=[])
    spool = Spool(tmp_path / "edge" / "opt-outs", capacity=10**6)
    for number in (erased.pk, letter.pk):
        spool.append([OptOut(number, False, "one-click", {}, NOW).to_record()])
        spool.seal()
    with front_door(POSTROOM_DATA_DIR=str(tmp_path)):
        until(lambda: ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED)
        until(lambda: not list((tmp_path / "edge").rglob("*.records")))


def test_a_database_that_does_not_answer_is_waited_for_half_a_second_and_no_longer(tmp_path: Path) -> None:
    with (
        DatabaseSwitch() as database,
        front_door(**database.environment, POSTROOM_DATA_DIR=str(tmp_path)) as door,
        httpx2.Client(base_url=door.url, timeout=20) as reader,
    ):
        assert reader.get(pixel(1)).status_code == 200
        with database.silent():
            began = time.monotonic()
            assert reader.get(pixel(2)).status_code == 200
            assert time.monotonic() - began < 3
            began = time.monotonic()
            assert reader.get(pixel(3)).status_code == 200
            assert time.monotonic() - began < 0.5, "once is enough"
        until(lambda: set(stored()) == {1, 2, 3})


def test_a_full_disk_is_told_to_machines_but_people_get_on(tmp_path: Path) -> None:
    content = make_content(workspace=make_workspace(), urls=URLS)
    with (
        DatabaseSwitch() as database,
        front_door(**database.environment, POSTROOM_DATA_DIR=str(tmp_path), POSTROOM_SPOOL_MB="0") as door,
        httpx2.Client(base_url=door.url, timeout=20) as reader,
    ):
        until(lambda: is_on_shelf(tmp_path, content.pk))
        database.off()
        missed = reader.get(pixel(1))
        assert (missed.status_code, int(missed.headers["retry-after"]) > 0) == (503, True)
        assert reader.get(f"/c/{tokens.click_path(8, content.pk, 0)}").status_code == 302
        left = reader.post(f"/u/{tokens.unsubscribe_token(9)}", data=ONE_CLICK)
        assert (left.status_code, int(left.headers["retry-after"]) > 0) == (503, True)


def test_only_what_decides_something_is_kept(tmp_path: Path) -> None:
    with (
        DatabaseSwitch() as database,
        front_door(**database.environment, POSTROOM_DATA_DIR=str(tmp_path)) as door,
        httpx2.Client(base_url=door.url, timeout=20) as reader,
    ):
        database.off()
        good = f"/u/{tokens.unsubscribe_token(9)}"
        assert reader.post("/u/nobody", data=ONE_CLICK).status_code == 404
        assert reader.post(good, data={"anything": "else"}).status_code == 500
        assert reader.get(good).status_code == 500
        assert not list((tmp_path / "edge").rglob("*.records"))
        form = {"List-Unsubscribe": (None, "One-Click")}
        assert reader.post(good, files=form).status_code == 200, "RFC 8058 allows multipart/form-data too"
    assert list((tmp_path / "edge" / "opt-outs").glob("*.records"))


def test_the_shelf_holds_recent_links_and_forgets_those_of_another_database(tmp_path: Path) -> None:
    workspace = make_workspace()
    old = make_content(workspace=workspace, urls=URLS)
    old.created_at = NOW - timedelta(days=91)
    old.save()
    recent = make_content(workspace=workspace, urls=("https://example.com/recent",))
    keeper = ShelfKeeper(tmp_path)
    keeper.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), recent.pk, 0) == "https://example.com/recent"
    assert find_on_shelf(shelf_path(tmp_path), recent.pk, 1) is None
    assert find_on_shelf(shelf_path(tmp_path), old.pk, 0) is None

    newest = make_content(workspace=workspace, urls=("https://example.com/newest",))
    keeper.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), newest.pk, 0) == "https://example.com/newest"

    newest.links.all().delete()
    keeper.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), newest.pk, 0) is None, "its number may mean another content by now"
    assert find_on_shelf(shelf_path(tmp_path), recent.pk, 0) == "https://example.com/recent"
    keeper.close()


def test_a_broken_shelf_is_filled_anew_and_one_process_of_a_machine_fills_it(tmp_path: Path) -> None:
    content = make_content(workspace=make_workspace(), urls=URLS)
    shelf_path(tmp_path).write_bytes(b"this is no database" * 1000)
    assert find_on_shelf(shelf_path(tmp_path), content.pk, 0) is None
    first, second = ShelfKeeper(tmp_path), ShelfKeeper(tmp_path)
    first.look(NOW)
    first.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), content.pk, 0) == URLS[0]
    with sqlite3.connect(shelf_path(tmp_path)) as shelf:
        shelf.execute("DELETE FROM link")
    second.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), content.pk, 0) is None, "the first one is still there"
    first.close()
    second.look(NOW)
    assert find_on_shelf(shelf_path(tmp_path), content.pk, 0) == URLS[0]
    second.close()


def _kill(door: FrontDoor) -> None:
    """Kill the server and its workers, none of them able to say goodbye."""
    family = [psutil.Process(door.process.pid), *psutil.Process(door.process.pid).children(recursive=True)]
    for member in family:
        os.kill(member.pid, signal.SIGKILL)
    psutil.wait_procs(family[1:], timeout=10)
    door.process.wait(10)
