"""The front door: one ASGI application on one port. Opens, clicks, opt-outs and mail to send go to raw handlers, the
questions of monitoring to ``config.health``, everything else to Django in a fixed pool of threads.
"""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.parse import urlsplit

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from postroom.config import wsgi  # first: it sets Django up

# isort: split
from postroom.api.usesend.sending import PATHS as SENDING
from postroom.api.usesend.sending import Sending
from postroom.config import health
from postroom.config.bodies import BufferedBodies
from postroom.config.doors import go_to_door
from postroom.config.health import Answer
from postroom.edge.tracking import Tracking
from postroom.edge.unsubscribe.application import OptOuts
from postroom.edge.upkeep import Upkeep
from postroom.edge.webhooks import PREFIX as HOOKS
from postroom.edge.webhooks import Webhooks
from postroom.kit import clock
from postroom.kit.asgi import Application, Receive, Scope, Send, answer, find_header

_SWITCH_S: Final = 0.001
"""How long a thread that computes may keep the event loop from going on."""
_FIGURES: Final = "/metrics"
_NO_STORE: Final = (b"cache-control", b"no-store")


class FrontDoor:
    """Routes each request by its path; a table of a few names, so that the hot paths cost nothing."""

    def __init__(self, django: Application) -> None:
        self._django = django
        mailed = under_own_name(django)
        self._tracking = Tracking(fallback=mailed, directory=settings.EDGE_DIR)
        self._opt_outs = OptOuts(mailed, settings.EDGE_DIR, self._tracking.is_away)
        self._webhooks = Webhooks()
        self._sending = Sending()
        self._upkeep = Upkeep(self._tracking.look, self._opt_outs.look)
        # Apart from Django's threads, so that a busy installation still says how it is.
        self._monitoring = ThreadPoolExecutor(max_workers=1, thread_name_prefix="monitoring")
        self._answers: dict[str, Callable[[], Answer]] = {
            "/health": health.answer_live,
            "/health/ready": lambda: health.answer_ready(now=clock.now()),
            _FIGURES: lambda: health.answer_metrics(now=clock.now()),
        }

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one request, one socket or the life of the process."""
        if scope["type"] == "http":
            if settings.TRUSTED_PROXIES:
                scope = see_through_proxies(scope)
            scope = go_to_door(scope)
            return self._route(scope)(scope, receive, send)
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return send({"type": "websocket.close", "code": 1000})

    def _route(self, scope: Scope) -> Application:
        path = scope["path"]
        if path in SENDING and scope["method"] == "POST":
            return self._sending
        if path.startswith(("/o/", "/c/")):
            return self._tracking.open if path[1] == "o" else self._tracking.click
        if path.startswith("/u/"):
            return self._opt_outs
        if path.startswith(HOOKS):
            return self._webhooks
        question = self._answers.get(path)
        if question is not None and (path != _FIGURES or _is_from_inside(scope)):
            return partial(self._monitor, question)
        return self._django

    async def _monitor(self, question: Callable[[], Answer], scope: Scope, receive: Receive, send: Send) -> None:
        told = await asyncio.get_running_loop().run_in_executor(self._monitoring, _ask, question)
        headers = ((b"content-type", told.content_type.encode("ascii")), _NO_STORE)
        await answer(scope, send, told.status, headers, told.body)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._upkeep.start()
                _spare_the_collector()
                sys.setswitchinterval(_SWITCH_S)
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._upkeep.close()
                await self._tracking.close()
                await self._opt_outs.close()
                await self._webhooks.close()
                await self._sending.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _spare_the_collector() -> None:
    """What the application is made of stays; looking for garbage in it would hold up everybody for 50 ms at a time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def under_own_name(application: Application) -> Application:
    """Return what hands requests to ``application`` as if they had come to the public address: links in mail may begin
    with the name of any sending domain, and nothing is ever made from that name.
    """
    own = (b"host", urlsplit(settings.PUBLIC_URL).netloc.encode("ascii"))

    def rename(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        headers = [header for header in scope["headers"] if header[0] != b"host"]
        return application({**scope, "headers": [*headers, own]}, receive, send)

    return rename


def see_through_proxies(scope: Scope) -> Scope:
    """Return the request as the client sent it to the first of our own proxies, by what that one says of it.

    Each proxy appends whom it speaks for; what stands before those of ours, a client may have made up.
    """
    said = [value for key, value in scope["headers"] if key == b"x-forwarded-for"] if settings.TRUSTED_PROXIES else []
    hops = b",".join(said).decode("latin-1").split(",")
    if not said or len(hops) < settings.TRUSTED_PROXIES:
        return scope
    return {**scope, "client": (hops[-settings.TRUSTED_PROXIES].strip(), 0)}


def _is_from_inside(scope: Scope) -> bool:
    """Whether our own network asks, directly: a proxy in front names whom it speaks for, and nobody can prevent it."""
    if find_header(scope, b"x-forwarded-for") or find_header(scope, b"forwarded"):
        return False
    try:
        return ip_address(scope["client"][0]).is_private
    except (TypeError, ValueError, KeyError):
        return False


def _ask(question: Callable[[], Answer]) -> Answer:
    close_old_connections()
    try:
        return question()
    except DatabaseError:
        return Answer(503, "text/plain; charset=utf-8", b"The database does not answer.\n")


def _make_django() -> Application:
    """Return Django's half; a2wsgi and Django each spell the types of the two interfaces in their own way."""
    threads: Any = WSGIMiddleware(cast("Any", wsgi.application), workers=settings.WEB_THREADS)
    return BufferedBodies(threads)


application = FrontDoor(_make_django())
