"""The raw door of the sending API, asked in this process: by as many clients at once as a test likes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from postroom.api.usesend.sending import Sending
from postroom.kit.asgi import Message, Scope

EMAILS = "/usesend/api/v1/emails"
BATCH = f"{EMAILS}/batch"


@dataclass(frozen=True)
class Knock:
    """One request; a body that is no octets is sent as JSON."""

    secret: str
    body: Any
    path: str = EMAILS
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""

    def scope(self) -> Scope:
        """Return what an ASGI server says of it."""
        sent = {"content-type": "application/json", **self.headers}
        if self.secret:
            sent.setdefault("authorization", f"Bearer {self.secret}")
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()]
        return {
            "type": "http",
            "method": "POST",
            "path": self.path,
            "query_string": self.query.encode(),
            "headers": pairs,
        }


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


async def ask(door: Sending, knock: Knock) -> Answer:
    """Return the answer to one request."""
    octets = knock.body if isinstance(knock.body, bytes) else json.dumps(knock.body).encode()
    pieces = [octets[at : at + 65_536] for at in range(0, len(octets), 65_536)] or [b""]
    sent: list[Message] = []

    async def receive() -> Message:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    await door(knock.scope(), receive, send)
    start, end = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], json.loads(end["body"]), headers)


def talk(conversation: Callable[[Sending], Awaitable[Any]]) -> Any:
    """Return what comes of a conversation with a door that is opened for it."""

    async def run() -> Any:
        door = Sending()
        try:
            return await conversation(door)
        finally:
            await door.close()

    return asyncio.run(run())


def ask_all(knocks: Sequence[Knock]) -> list[Answer]:
    """Return the answers to requests that come at the same time."""

    async def ask_them(door: Sending) -> list[Answer]:
        return await asyncio.gather(*(ask(door, knock) for knock in knocks))

    answers: list[Answer] = talk(ask_them)
    return answers


def ask_once(secret: str, body: Any, path: str = EMAILS, **headers: str) -> Answer:
    """Return the answer to one request; ``headers`` as ``idempotency_key="…"``."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask_all([Knock(secret, body, path, sent)])[0]
