"""The open pixel and the click redirect, as ASGI handlers."""

import asyncio
import base64
import os
from functools import lru_cache
from typing import Final

import structlog
from django.db import DatabaseError

from postroom.core.mail.rules import bots, tokens
from postroom.core.mail.types import EventType, Hit
from postroom.edge.tracking.links import Links
from postroom.edge.tracking.store import HitStore
from postroom.kit import clock
from postroom.kit.asgi import Application, Receive, Scope, Send, answer, find_header

log = structlog.get_logger(__name__)

PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one by one."""

_METHODS: Final = {"GET", "HEAD"}
_PIXEL_PREFIX: Final = "/o/"
_CLICK_PREFIX: Final = "/c/"
_CLICK_PATIENCE_S: Final = 2.0  # a person is waiting: past this they go on, whether or not the click is stored yet

_NO_STORE: Final = (b"cache-control", b"no-store, private, max-age=0")
_PIXEL_HEADERS: Final = ((b"content-type", b"image/gif"), _NO_STORE)
_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), _NO_STORE)
_RETRY_HEADERS: Final = (*_PLAIN, (b"retry-after", b"5"))


class Tracking:
    """Answers ``/o/<token>.gif`` and ``/c/<token>``; what it cannot read goes to ``fallback``, which shows a page."""

    def __init__(self, fallback: Application) -> None:
        self._store = HitStore()
        self._links = Links()
        self._fallback = fallback

    async def open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store an open, then answer with the pixel; 503 when it cannot be stored."""
        name, _, suffix = scope["path"][len(_PIXEL_PREFIX) :].rpartition(".")
        token = tokens.read_track(name) if suffix == "gif" else None
        if token is None or scope["method"] not in _METHODS:
            await self._fallback(scope, receive, send)
            return
        try:
            await self._store.put(_hit(scope, EventType.OPENED, token.message_id))
        except Exception as error:
            log.warning("edge.open_not_stored", error=type(error).__name__)
            await answer(scope, send, 503, _RETRY_HEADERS, b"Try again in a moment.\n")
            return
        await answer(scope, send, 200, _PIXEL_HEADERS, PIXEL)

    async def click(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store a click, then send the person on to the link that was stored for their message, and nowhere else."""
        token = tokens.read_click(scope["path"][len(_CLICK_PREFIX) :])
        if token is None or scope["method"] not in _METHODS:
            await self._fallback(scope, receive, send)
            return
        try:
            url = await self._links.find(token.content_id, token.link_index)
        except DatabaseError as error:
            log.warning("edge.link_not_found", error=type(error).__name__)
            await answer(scope, send, 503, _RETRY_HEADERS, b"This link rests for a moment. Try again.\n")
            return
        if url is None:
            await self._fallback(scope, receive, send)
            return
        await self._store_click(_hit(scope, EventType.CLICKED, token.message_id, token.link_index))
        await answer(scope, send, 302, ((b"location", url.encode("ascii")), *_PLAIN))

    async def close(self) -> None:
        """Store what is waiting and give the connections back."""
        await self._store.close()
        await asyncio.to_thread(self._links.close)

    async def _store_click(self, hit: Hit) -> None:
        """A click that cannot be stored is lost to the report, but not to the person who clicked."""
        try:
            async with asyncio.timeout(_CLICK_PATIENCE_S):
                await self._store.put(hit)
        except Exception as error:
            log.warning(
                "edge.click_not_stored",
                error=type(error).__name__,
                message_id=hit.message_id,
                link_index=hit.link_index,
            )


def _hit(scope: Scope, event_type: EventType, message_id: int, link_index: int | None = None) -> Hit:
    client, method = scope.get("client"), scope["method"]
    return Hit(
        key=os.urandom(16).hex(),
        type=event_type,
        message_id=message_id,
        at=clock.now(),
        link_index=link_index,
        agent=find_header(scope, b"user-agent"),
        ip=_shorten_ip(client[0]) if client else "",
        is_bot=method == "HEAD",
        data={"method": method},
    )


_shorten_ip = lru_cache(4096)(bots.shorten_ip)  # a crowd behind one proxy, or one reader's many pictures
