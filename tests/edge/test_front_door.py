"""The front door: what is not hot reaches Django whole, and monitoring is answered beside it."""

import socket

import httpx2
import pytest

from postroom.core.contacts.models import ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail.rules import tokens
from tests.edge.front_door import FrontDoor, front_door
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import make_workspace
from tests.ledger import make_content

pytestmark = pytest.mark.django_db(transaction=True)


def test_monitoring_is_answered_beside_django(door: FrontDoor) -> None:
    with httpx2.Client(base_url=door.url) as monitor:
        assert monitor.get("/health").status_code == 200
        assert "postroom_hits_waiting" in monitor.get("/metrics").text
        assert monitor.get("/metrics", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 404
        assert monitor.get("/health/ready").status_code == 503, "no worker shows life here"


def test_a_body_that_comes_in_pieces_reaches_django_whole(door: FrontDoor) -> None:
    workspace = make_workspace()
    list_ = make_list(workspace)
    letter = make_letter(workspace, make_reader(workspace, list_), list_)
    pieces = iter([b"List-Unsub", b"scribe=One", b"-Click"])
    with httpx2.Client(base_url=door.url) as program:
        answer = program.post(
            f"/u/{tokens.unsubscribe_token(letter.pk)}",
            content=pieces,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)
    assert ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED


def test_links_in_mail_may_begin_with_the_name_of_any_sending_domain(door: FrontDoor) -> None:
    workspace = make_workspace()
    list_ = make_list(workspace)
    letter = make_letter(workspace, make_reader(workspace, list_), list_)
    content = make_content(workspace=workspace, urls=("https://example.com/there",))
    leave = f"/u/{tokens.unsubscribe_token(letter.pk)}"
    with httpx2.Client(base_url=door.url, headers={"Host": "links.harbour.example"}) as reader:
        assert reader.get(f"/o/{tokens.track_token(7, 1)}.gif").status_code == 200
        assert reader.get(f"/c/{tokens.click_path(7, content.pk, 0)}").status_code == 302
        assert reader.get("/c/nonsense").status_code == 404
        page = reader.get(leave)
        assert page.status_code == 200
        assert 'href="http://localhost:' in page.text, "the forms behind it are under our own name"
        assert reader.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert reader.get("/static/edge/page.css").status_code == 200
        assert reader.get("/p/").status_code == 400, "everything else wants its own name"
    assert ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED


def test_a_slow_upload_keeps_no_thread_from_the_others(transactional_db: None) -> None:
    with front_door(POSTROOM_WEB_THREADS="1") as door, httpx2.Client(base_url=door.url, timeout=5) as quick:
        host, port = door.url.removeprefix("http://").split(":")
        slow = [_begin_upload(host, int(port)) for _ in range(4)]
        assert quick.get("/u/nobody").status_code == 404
        for connection in slow:
            connection.close()


def _begin_upload(host: str, port: int) -> socket.socket:
    """Announce a megabyte, send a few octets, and then nothing."""
    connection = socket.create_connection((host, port))
    connection.sendall(b"POST /u/nobody HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
    return connection
