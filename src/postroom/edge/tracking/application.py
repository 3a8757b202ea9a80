"""The open pixel and the click redirect, as ASGI handlers."""

import asyncio
import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Final

import structlog
from django.db import DatabaseError, close_old_connections, connections

from postroom.core.mail.rules import bots, tokens
from postroom.core.mail.services.hits import hit_line
from postroom.core.mail.types import EventType, Hit
from postroom.edge.disk import HITS, Disk
from postroom.edge.tracking.links import Links
from postroom.edge.tracking.shelf import ShelfKeeper
from postroom.edge.tracking.store import HitStore
from postroom.kit import clock
from postroom.kit.asgi import Application, Prepared, Receive, Scope, Send, answer, find_header

log = structlog.get_logger(__name__)

PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A transparent GIF of one by one."""

_METHODS: Final = {"GET", "HEAD"}
_PIXEL_PREFIX: Final = "/o/"
_PIXEL_SUFFIX: Final = ".gif"
_CLICK_PREFIX: Final = "/c/"
_TOKEN: Final = slice(len(_PIXEL_PREFIX), -len(_PIXEL_SUFFIX))
_SHELF_EVERY: Final = 5  # looks

_NO_STORE: Final = (b"cache-control", b"no-store, private, max-age=0")
_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), _NO_STORE)
_RETRY_HEADERS: Final = (*_PLAIN, (b"retry-after", b"5"))
_PIXEL: Final = Prepared(200, ((b"content-type", b"image/gif"), _NO_STORE), PIXEL)
_LATER: Final = Prepared(503, _RETRY_HEADERS, b"Try again in a moment.\n")
_LINK_LATER: Final = Prepared(503, _RETRY_HEADERS, b"This link rests for a moment. Try again.\n")


class Tracking:
    """Answers ``/o/<token>.gif`` and ``/c/<token>/<number>``; what it cannot read goes to ``fallback``, which shows a
    page. What must outlive an outage of the database is kept below ``directory``.
    """

    def __init__(self, fallback: Application, directory: Path) -> None:
        self._store = HitStore(Disk(directory, HITS))
        self._links = Links(directory, self.is_away)
        self._keeper = ShelfKeeper(directory)
        self._keeping = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._fallback = fallback
        self._write = _line_writer()
        self._looks = count()

    async def open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store an open, then answer with the pixel; 503 when it cannot be stored."""
        path = scope["path"]
        token = tokens.read_track(path[_TOKEN]) if path.endswith(_PIXEL_SUFFIX) else None
        if token is None or scope["method"] not in _METHODS:
            await self._fallback(scope, receive, send)
            return
        try:
            await self._store.put(self._write(scope, EventType.OPENED, token.message_id, None))
        except Exception as error:
            log.warning("edge.open_not_stored", error=type(error).__name__)
            await _LATER.give(scope, send)
            return
        await _PIXEL.give(scope, send)

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
            await _LINK_LATER.give(scope, send)
            return
        if url is None:
            await self._fallback(scope, receive, send)
            return
        await self._store_click(self._write(scope, EventType.CLICKED, token.message_id, token.link_index))
        await answer(scope, send, 302, ((b"location", url.encode("ascii")), *_PLAIN))

    def is_away(self) -> bool:
        """Whether the database was away when it was last needed."""
        return self._store.is_away

    async def look(self) -> None:
        """Bring home what waits on the disk, and note new links. Raises psycopg.Error and django.db.DatabaseError."""
        await self._store.look()
        if next(self._looks) % _SHELF_EVERY == 0:
            await asyncio.get_running_loop().run_in_executor(self._keeping, self._keep_links)

    async def close(self) -> None:
        """Store what is waiting and give the connections back."""
        await self._store.close()
        await asyncio.to_thread(self._links.close)
        for last in (self._keeper.close, connections.close_all):
            self._keeping.submit(last)
        self._keeping.shutdown()

    def _keep_links(self) -> None:
        close_old_connections()
        self._keeper.look(clock.now())

    async def _store_click(self, line: bytes) -> None:
        """A click that cannot be stored is lost to the report, but not to the person who clicked."""
        try:
            await self._store.put(line)
        except Exception as error:
            log.warning("edge.click_not_stored", error=type(error).__name__)


def _line_writer() -> Callable[[Scope, EventType, int, int | None], bytes]:
    """Return what makes a request a line of the store; its hits are told apart by its name and their number."""
    name, numbers = os.urandom(12).hex(), count()

    def write(scope: Scope, event_type: EventType, message_id: int, link_index: int | None) -> bytes:
        client, method = scope.get("client"), scope["method"]
        key, agent = f"{name}{next(numbers):x}", find_header(scope, b"user-agent")
        ip = _shorten_ip(client[0]) if client else ""
        is_bot, said = (False, {}) if method == "GET" else (True, {"method": method})
        return hit_line(Hit(key, event_type, message_id, clock.now(), link_index, agent, ip, is_bot, said))

    return write


_shorten_ip = lru_cache(4096)(bots.shorten_ip)  # a crowd behind one proxy, or one reader's many pictures
