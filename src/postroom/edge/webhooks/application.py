"""Webhooks of providers, as an ASGI handler: verified, stored, answered; they are read afterwards."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, connections

from postroom.core.mail.selectors import is_webhook_password
from postroom.core.mail.services import store_deliveries
from postroom.core.mail.types import Delivery, Provider, WebhookAccount
from postroom.edge.webhooks.accounts import Accounts
from postroom.edge.webhooks.confirming import confirm_subscription, fetch_certificate
from postroom.edge.webhooks.signatures import Call, Forged, check_signature, needs_password, read_password
from postroom.kit import clock
from postroom.kit.asgi import Prepared, Receive, Scope, Send
from postroom.kit.errors import AppError, Unavailable
from postroom.kit.group_commit import GroupCommit

log = structlog.get_logger(__name__)

PREFIX: Final = "/hooks/"
MAX_EVENTS: Final = 4 * 1024 * 1024
MAX_MAIL: Final = 40 * 1024 * 1024
_PATIENCE_S: Final = 30.0

_PLAIN: Final = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"))
_KEPT: Final = Prepared(200, _PLAIN, b"Kept.\n")
_REFUSED: Final = Prepared(403, _PLAIN, b"This is not signed as this account's provider signs.\n")
_UNKNOWN: Final = Prepared(404, _PLAIN, b"There is no such address.\n")
_WRONG: Final = Prepared(405, (*_PLAIN, (b"allow", b"POST")), b"Webhooks are posted.\n")
_LARGE: Final = Prepared(413, _PLAIN, b"This is too large.\n")
_WHO: Final = Prepared(
    401, (*_PLAIN, (b"www-authenticate", b'Basic realm="webhook"')), b"The password of this address is missing.\n"
)
_LATER: Final = Prepared(503, (*_PLAIN, (b"retry-after", b"30")), b"Nothing was kept. Try again in a moment.\n")

T = TypeVar("T")


class _TooLarge(Exception):
    """A body is larger than anything a provider sends."""


@dataclass(slots=True)
class _Waiting:
    """A delivery on its way into the database, and whether it was kept."""

    delivery: Delivery
    is_kept: bool = False


class Webhooks:
    """Answers ``POST /hooks/<account>/<provider>/`` (events) and ``…/inbound/`` (mail that came in)."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhooks-database")
        self._outside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="webhooks-outside")
        self._commits = GroupCommit[_Waiting](self._store, group_size=500, capacity=5_000)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            prepared = await self._answer(scope, receive)
        except (DatabaseError, Unavailable, TimeoutError) as error:
            log.warning("webhook_not_kept", error=type(error).__name__)
            prepared = _LATER
        await prepared.give(scope, send)

    async def close(self) -> None:
        """Store what is waiting and give the connection back."""
        await self._commits.drain()
        self._database.submit(connections.close_all)
        self._database.shutdown()
        self._outside.shutdown()

    async def _answer(self, scope: Scope, receive: Receive) -> Prepared:
        place = _read_path(scope["path"])
        if place is None:
            return _UNKNOWN
        if scope["method"] != "POST":
            return _WRONG
        uid, provider, is_inbound = place
        account = await self._find(uid)
        if account is None or account.provider != provider:
            return _UNKNOWN
        headers = {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        is_keyed = needs_password(provider, is_inbound=is_inbound)
        if is_keyed and not is_webhook_password(uid=uid, password=read_password(headers)):
            return _WHO
        try:
            body = await asyncio.wait_for(_read_body(receive, MAX_MAIL if is_inbound else MAX_EVENTS), _PATIENCE_S)
        except _TooLarge:
            return _LARGE
        return await self._keep(account, Call(headers, body, is_inbound, clock.now()))

    async def _keep(self, account: WebhookAccount, call: Call) -> Prepared:
        try:
            key = await self._verify(account, call)
        except Forged as error:
            log.warning("webhook_refused", sender_id=account.sender_id, reason=error.message)
            return _REFUSED
        waiting = _Waiting(
            Delivery(
                sender_id=account.sender_id,
                content_type=call.headers.get("content-type", ""),
                body=call.body,
                received_at=call.now,
                key=key,
                is_inbound=call.is_inbound,
            )
        )
        await self._commits.put(waiting)
        return _KEPT if waiting.is_kept else _REFUSED

    async def _verify(self, account: WebhookAccount, call: Call) -> str:
        """Return the call's key. Raises Forged. Amazon's certificate has to be fetched, its subscription confirmed."""
        if needs_password(account.provider, is_inbound=call.is_inbound):
            return ""
        if account.provider is not Provider.SES:
            return check_signature(account, call, _no_certificate)
        return await self._in(self._outside, lambda: _verify_sns(account, call))

    async def _find(self, uid: UUID) -> WebhookAccount | None:
        is_known, account = self._accounts.remembered(uid)
        if is_known:
            return account
        return await self._in(self._database, lambda: _at_database(lambda: self._accounts.look_up(uid)))

    async def _store(self, group: Sequence[_Waiting]) -> None:
        def store() -> list[bool]:
            return store_deliveries(deliveries=[one.delivery for one in group])

        kept = await self._in(self._database, lambda: _at_database(store))
        for waiting, is_kept in zip(group, kept, strict=True):
            waiting.is_kept = is_kept

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, act)


def _verify_sns(account: WebhookAccount, call: Call) -> str:
    key = check_signature(account, call, _certificate)
    confirm_subscription(call.body, settings.INTERNAL_HTTP_HOSTS)
    return key


@lru_cache(maxsize=64)
def _certificate(url: str) -> bytes:
    return fetch_certificate(url)


def _no_certificate(url: str) -> bytes:
    raise AppError("Nobody else signs by certificate.")


def _at_database(act: Callable[[], T]) -> T:
    """Do something in the database, again on a fresh connection if the old one turns out to be dead."""
    close_old_connections()
    try:
        return act()
    except DatabaseError:
        connection.close()
        return act()


def _read_path(path: str) -> tuple[UUID, Provider, bool] | None:
    parts = path[len(PREFIX) :].strip("/").split("/")
    if len(parts) not in (2, 3) or (len(parts) == 3 and parts[2] not in ("inbound", "mime")):
        return None
    try:
        return UUID(parts[0]), Provider(parts[1]), len(parts) == 3
    except ValueError:
        return None


async def _read_body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise TimeoutError("The other side has gone.")
        body += message.get("body", b"")
        if len(body) > limit:
            raise _TooLarge
        if not message.get("more_body"):
            return bytes(body)
