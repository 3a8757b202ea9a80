"""Click links lead to what was stored for their message, and nowhere else (S9)."""

import asyncio
import base64
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from postroom.core.mail.models import TrackedLink
from postroom.core.mail.rules import tokens
from postroom.edge.tracking import Tracking
from postroom.edge.tracking.links import Links
from postroom.kit.asgi import Message, Receive, Scope, Send, answer
from tests.factories import make_workspace
from tests.ledger import make_content

STORED = ("https://example.com/offer", "http://example.com/plain?next=https://evil.example/")
SCRIPTS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "//evil.example/",
    "/\\evil.example",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "https:evil.example",
    "http://",
    "http://[::1",
)


async def _lost(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(scope, send, 404)


def visit(paths: list[str]) -> list[tuple[int, str]]:
    """Return the status and Location of each path, answered by the real handlers over the test's database."""

    async def run(directory: str) -> list[tuple[int, str]]:
        tracking = Tracking(fallback=_lost, directory=Path(directory))
        try:
            return [await _visit(tracking, path) for path in paths]
        finally:
            await tracking.close()

    with TemporaryDirectory() as directory:
        return asyncio.run(run(directory))


async def _visit(tracking: Tracking, path: str) -> tuple[int, str]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await tracking.click({"type": "http", "method": "GET", "path": path, "headers": []}, receive, send)
    headers = dict(sent[0]["headers"])
    return sent[0]["status"], headers.get(b"location", b"").decode("ascii")


@pytest.mark.django_db(transaction=True)
def test_no_edited_link_redirects_anywhere() -> None:
    workspace = make_workspace()
    content, other = make_content(workspace=workspace, urls=STORED), make_content(workspace=workspace)
    good = tokens.click_path(7, content.pk, 0)
    assert visit([f"/c/{good}"]) == [(302, STORED[0])]

    answers = visit([f"/c/{token}" for token in _forgeries(good, content.pk, other.pk)])

    assert len(answers) > 500
    assert {status for status, _ in answers} == {404}
    assert {location for _, location in answers} == {""}


def _forgeries(good: str, content_id: int, other_id: int) -> list[str]:
    token = good.partition("/")[0]
    octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    flips = [
        octets[:at] + bytes([octets[at] ^ 1 << bit]) + octets[at + 1 :] for at in range(len(octets)) for bit in range(8)
    ]
    dice = random.Random(9)
    noise = [dice.randbytes(dice.randrange(60)) for _ in range(300)]
    encoded = [base64.urlsafe_b64encode(one).rstrip(b"=").decode() + "/0" for one in (*flips, *noise)]
    wrong_ids = [
        tokens.click_path(7, content_id, 2),
        tokens.click_path(7, other_id, 0),
        tokens.click_path(7, 10**9, 0),
    ]
    wrong_purposes = [tokens.unsubscribe_token(7), f"{tokens.unsubscribe_token(7)}/0"]
    spellings = [
        token,
        f"{token}=/0",
        f"{token}A/0",
        f"{token[:-1]}/0",
        f"{good}0",
        f"{good}x",
        f"{token}/-1",
        f"{token}/00",
        good.swapcase(),
        good + "/",
        "/" + good,
        good + "?url=//evil.example",
    ]
    targets = ["https://evil.example", "//evil.example", "..//evil.example", "%2f%2fevil.example", "", "x" * 5_000]
    return [*encoded, *wrong_ids, *wrong_purposes, *spellings, *targets]


@pytest.mark.django_db(transaction=True)
def test_scripts_and_strange_addresses_are_not_followed_even_if_a_row_holds_them() -> None:
    content = make_content(workspace=make_workspace(), urls=SCRIPTS)
    answers = visit([f"/c/{tokens.click_path(7, content.pk, index)}" for index in range(len(SCRIPTS))])
    assert answers == [(404, "")] * len(SCRIPTS)


@pytest.mark.django_db(transaction=True)
def test_an_address_with_line_ends_cannot_add_headers() -> None:
    content = make_content(workspace=make_workspace(), urls=["https://example.com/\r\nSet-Cookie: a=b"])
    [(status, location)] = visit([f"/c/{tokens.click_path(7, content.pk, 0)}"])
    assert "\n" not in location
    assert "\r" not in location
    assert status in {302, 404}


@pytest.mark.django_db(transaction=True)
def test_links_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("postroom.edge.tracking.links._REMEMBERED", 2)
    content = make_content(workspace=make_workspace(), urls=[f"https://example.com/{number}" for number in range(3)])

    async def run() -> list[str | None]:
        links = Links(tmp_path)
        for number in (0, 1, 0, 2):
            await links.find(content.pk, number)
        await asyncio.to_thread(TrackedLink.objects.all().delete)
        await asyncio.to_thread(_close_connections)
        found = [await links.find(content.pk, number) for number in range(3)]
        links.close()
        return found

    assert asyncio.run(run()) == ["https://example.com/0", None, "https://example.com/2"]


def _close_connections() -> None:
    from django.db import connections

    connections.close_all()
