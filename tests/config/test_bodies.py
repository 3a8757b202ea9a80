"""Request bodies: whole before Django sees them, capped, and given up when they stop arriving."""

import asyncio
from collections.abc import Iterable

from postroom.config.bodies import BufferedBodies
from postroom.kit.asgi import Message, Receive, Scope, Send, answer


def post(
    pieces: Iterable[bytes],
    *,
    headers: dict[str, str] | None = None,
    limit: int = 1_000_000,
    disk: int = 1_000_000,
    is_stalled: bool = False,
) -> tuple[int, bytes, list[int]]:
    """Return the status and body of an echo behind the buffer, and the Content-Length it saw, for a body in pieces."""
    seen: list[int] = []
    sent: list[Message] = []
    waiting = list(pieces)

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(int(dict(scope["headers"]).get(b"content-length", b"-1")))
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        await answer(scope, send, 200, (), body)

    async def receive() -> Message:
        if not waiting and is_stalled:
            await asyncio.sleep(60)
        piece = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": piece, "more_body": bool(waiting) or is_stalled}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": pairs}
    asyncio.run(BufferedBodies(echo, limit=limit, disk=disk, silence_s=0.05)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"], seen


def test_a_body_in_pieces_arrives_whole_and_with_its_length() -> None:
    pieces = [b"a" * 70_000, b"", b"b" * 70_000, b"c"]
    status, body, lengths = post(pieces, headers={"transfer-encoding": "chunked"})
    assert (status, body) == (200, b"".join(pieces))
    assert lengths == [140_001]


def test_a_request_without_a_body_passes_untouched() -> None:
    assert post([], headers={"accept": "*/*"}) == (200, b"", [-1])


def test_too_large_a_body_is_refused_by_its_declared_and_by_its_real_length() -> None:
    assert post([b"x"], headers={"content-length": "101"}, limit=100)[::2] == (413, [])
    assert post([b"x" * 60, b"x" * 60], headers={"transfer-encoding": "chunked"}, limit=100)[::2] == (413, [])
    assert post([b"x" * 100], headers={"content-length": "100"}, limit=100)[0] == 200


def test_a_body_that_stops_arriving_is_given_up() -> None:
    assert post([b"x"], headers={"content-length": "5"}, is_stalled=True)[::2] == (408, [])


def test_uploads_that_would_fill_the_disk_are_sent_away_and_forms_are_not() -> None:
    upload, form = [b"x" * 40_000] * 3, [b"x" * 60_000]
    assert post(upload, headers={"content-length": "120000"}, disk=70_000)[::2] == (503, [])
    assert post(upload, headers={"content-length": "120000"}, disk=120_000)[0] == 200
    assert post(form, headers={"content-length": "60000"}, disk=0)[0] == 200
