"""The ceiling of the API benchmark: bare ASGI, and one INSERT of eight hardly checked fields for all who wait."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

INSERT = """
INSERT INTO bench_message
    (uid, workspace_id, sender, recipients, subject, html, text, reply_to, headers, scheduled_at, status, created_at)
SELECT uid, 1, sender, ARRAY[recipient], subject, html, text, ARRAY[reply_to], headers, scheduled_at, 'queued', $9
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
            $10::timestamptz[])
    AS row(uid, sender, recipient, subject, html, text, reply_to, headers, scheduled_at)
"""
KEY = b"Bearer " + os.environ["BENCH_KEY"].encode()
JSON = (b"content-type", b"application/json")


class Letter(msgspec.Struct, rename={"sender": "from", "reply_to": "replyTo", "scheduled_at": "scheduledAt"}):
    to: str
    sender: str
    subject: str
    html: str | None = None
    text: str | None = None
    reply_to: str = ""
    headers: dict[str, str] = {}
    scheduled_at: datetime | None = None


decode = msgspec.json.Decoder(Letter).decode
waiting: list[tuple[Any, Letter, asyncio.Future[None]]] = []
running: list[asyncio.Task[None]] = []
pool: list[asyncpg.Connection] = []


async def commit() -> None:
    """Store everybody who waits, until nobody does."""
    if not pool:
        pool.append(await asyncpg.connect(os.environ["BENCH_DATABASE"]))
    while waiting:
        group = waiting[:1000]
        del waiting[:1000]
        letters = [letter for _, letter, _ in group]
        await pool[0].execute(
            INSERT,
            [uid for uid, _, _ in group],
            [letter.sender for letter in letters],
            [letter.to for letter in letters],
            [letter.subject for letter in letters],
            [letter.html for letter in letters],
            [letter.text for letter in letters],
            [letter.reply_to for letter in letters],
            [msgspec.json.encode(letter.headers).decode() for letter in letters],
            datetime.now(UTC),
            [letter.scheduled_at for letter in letters],
        )
        for _, _, done in group:
            done.set_result(None)
    running.clear()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Take a letter."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, said = 403, b"{}"
    if any(name == b"authorization" and value == KEY for name, value in scope["headers"]):
        uid, done = uuid4(), asyncio.get_running_loop().create_future()
        waiting.append((uid, decode(body), done))
        if not running:
            running.append(asyncio.create_task(commit()))
        await done
        status, said = 200, b'{"emailId":"%s"}' % uid.hex.encode()
    headers = [JSON, (b"content-length", b"%d" % len(said))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})
