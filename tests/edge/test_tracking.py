"""Opens and clicks through the real front door: durable before they are answered, and people always get on."""

import threading
import time

import httpx2
import pytest

from postroom.core.mail.models import StoredHit
from postroom.core.mail.rules import tokens
from postroom.core.mail.types import EventType
from tests.edge.front_door import DatabaseSwitch, FrontDoor, front_door
from tests.factories import make_workspace
from tests.ledger import make_content

URLS = ("https://example.com/one?a=1&b=2", "https://example.com/zwei/ü#teil")
pytestmark = pytest.mark.django_db(transaction=True)


def test_opens_and_clicks_are_stored_when_they_are_answered(door: FrontDoor) -> None:
    content = make_content(workspace=make_workspace(), urls=URLS)
    with httpx2.Client(base_url=door.url, headers={"User-Agent": "Reader/1.0"}) as reader:
        pixel = reader.get(f"/o/{tokens.track_token(7, 1)}.gif")
        assert (pixel.status_code, pixel.headers["content-type"]) == (200, "image/gif")
        assert pixel.content[:6] == b"GIF89a"
        assert len(pixel.content) == 43
        assert "no-store" in pixel.headers["cache-control"]
        opened = StoredHit.objects.get()
        assert (opened.type, opened.message_id, opened.is_bot) == (EventType.OPENED, 7, False)
        assert (opened.agent, opened.ip, opened.data) == ("Reader/1.0", "127.0.0.0", {})

        for index, location in enumerate((URLS[0], "https://example.com/zwei/%C3%BC#teil")):
            click = reader.get(f"/c/{tokens.click_path(8, content.pk, index)}")
            assert (click.status_code, click.headers["location"]) == (302, location)
            assert "no-store" in click.headers["cache-control"]
            clicked = StoredHit.objects.latest("id")
            assert (clicked.type, clicked.message_id, clicked.link_index) == (EventType.CLICKED, 8, index)

        head = reader.head(f"/c/{tokens.click_path(9, content.pk, 0)}")
        assert (head.status_code, head.content) == (302, b"")
        machine = StoredHit.objects.latest("id")
        assert (machine.is_bot, machine.data) == (True, {"method": "HEAD"})
        assert reader.head(f"/o/{tokens.track_token(7, 1)}.gif").headers["content-length"] == "43"


def test_what_cannot_be_read_gets_a_page_and_leaves_no_trace(door: FrontDoor) -> None:
    content = make_content(workspace=make_workspace(), urls=URLS)
    click = tokens.click_path(8, content.pk, 0)
    with httpx2.Client(base_url=door.url) as reader:
        for path in (
            "/c/nonsense",
            f"/c/{click[:-1]}",
            f"/c/{tokens.click_path(8, content.pk, 2)}",
            "/o/x.gif",
        ):
            answer = reader.get(path)
            assert answer.status_code == 404, path
            assert "leads nowhere" in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert reader.get("/static/edge/page.css").status_code == 200
        assert reader.put(f"/c/{click}").status_code in {403, 404, 405}
    assert not StoredHit.objects.exists()


def test_a_database_that_was_restarted_is_not_even_noticed(transactional_db: None) -> None:
    pixel = f"/o/{tokens.track_token(7, 1)}.gif"
    with (
        DatabaseSwitch() as database,
        front_door(**database.environment) as door,
        httpx2.Client(base_url=door.url, timeout=20) as reader,
    ):
        assert reader.get(pixel).status_code == 200
        database.off()
        database.on()
        assert reader.get(pixel).status_code == 200
    assert StoredHit.objects.count() == 2


def test_nothing_acknowledged_is_lost_when_the_web_process_is_killed_under_load(transactional_db: None) -> None:
    acknowledged: list[int] = []
    with front_door() as door:
        readers = [threading.Thread(target=_open_until_gone, args=(door.url, acknowledged)) for _ in range(8)]
        for reader in readers:
            reader.start()
        while len(acknowledged) < 200:
            time.sleep(0.01)
        door.process.kill()  # and its workers with it, none of them able to say goodbye
        for reader in readers:
            reader.join(20)
    stored = set(StoredHit.objects.values_list("message_id", flat=True))
    assert set(acknowledged) <= stored


def _open_until_gone(url: str, acknowledged: list[int]) -> None:
    base = threading.get_ident() % 1_000_003 * 1_000_000
    with httpx2.Client(base_url=url) as reader:
        for number in range(base, base + 1_000_000):
            try:
                if reader.get(f"/o/{tokens.track_token(number, 1)}.gif").status_code == 200:
                    acknowledged.append(number)
            except httpx2.TransportError:
                return
