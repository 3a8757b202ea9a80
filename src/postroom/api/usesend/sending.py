"""``POST /emails`` and ``/emails/batch`` at the front door: what the operations answer too, but by group commit."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import structlog
from pydantic import ValidationError

from postroom.api.shared.accepting import LARGE_BODY, Bodies, ClientGone, Database, Submitting
from postroom.api.shared.auth import read_secret
from postroom.api.shared.bodies import read_json
from postroom.api.shared.errors import Told, tell
from postroom.api.shared.keys import KEYS
from postroom.api.shared.rates import Rate, limit_of, take_turns
from postroom.api.usesend.errors import MANNERS
from postroom.api.usesend.ids import write_id
from postroom.api.usesend.submissions import make_request, read_emails
from postroom.core.mail.types import SubmitRequest
from postroom.core.workspaces.errors import BadKey
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Door
from postroom.kit.asgi import Receive, Scope, Send, answer, find_header
from postroom.kit.errors import AppError
from postroom.kit.group_commit import GroupCommit

PATHS: Final = {"/usesend/api/v1/emails": False, "/usesend/api/v1/emails/batch": True}
"""Where it answers POST, and whether a batch is meant."""

_HEADERS: Final = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
_ONCE: Final = b"idempotency-key"

log = structlog.get_logger(__name__)


class _NoKey(Exception):
    """The request names no key."""


class _BadJson(Exception):
    """The body says that it is JSON, and is none that can be stored."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A request that is to be counted, and where it stands then; None while nobody can count."""

    workspace_id: int
    limit: int
    rate: Rate | None = None


class Sending:
    """Answers for one event loop: keys and rates are looked up in one thread, mail is stored in another."""

    def __init__(self) -> None:
        self._submitting = Submitting()
        self._bodies = Bodies()
        self._lookups = Database("api-keys")
        self._turns = GroupCommit[_Turn](self._count)
        self._large = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-bodies")
        self._finding: dict[str, asyncio.Future[KeyIdentity | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        rate: Rate | None = None
        try:
            identity = await self._identify(scope)
            rate = await self._take_turn(identity)
            if rate is not None and rate.is_over:
                raise rate.refusal()
            said = await self._accept(identity, scope, receive)
        except ClientGone:
            return
        except Exception as error:
            said = _refuse(error)
        headers = said.headers if rate is None else {**said.headers, **rate.headers()}
        pairs = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        await answer(scope, send, said.status, [*_HEADERS, *pairs], json.dumps(said.body).encode())

    async def close(self) -> None:
        """Store what is waiting and give the connections back."""
        await self._submitting.close()
        await self._turns.drain()
        self._lookups.close()
        self._large.shutdown()

    async def _identify(self, scope: Scope) -> KeyIdentity:
        secret = read_secret(find_header(scope, b"authorization"))
        if not secret:
            raise _NoKey
        is_known, identity = KEYS.recall(secret, Door.USESEND)
        if not is_known:
            identity = await self._find(secret)
        if identity is None:
            raise BadKey
        return identity

    async def _find(self, secret: str) -> KeyIdentity | None:
        """Look a key up, once for all who bring it at the same time."""
        running = self._finding.get(secret)
        if running is None:
            running = asyncio.ensure_future(self._lookups.do(lambda: KEYS.find(secret, Door.USESEND)))
            self._finding[secret] = running
            running.add_done_callback(lambda _: self._finding.pop(secret, None))
        return await asyncio.shield(running)

    async def _take_turn(self, identity: KeyIdentity) -> Rate | None:
        limit = limit_of(identity)
        if limit <= 0:
            return None
        turn = _Turn(identity.workspace.pk, limit)
        await self._turns.put(turn)
        return turn.rate

    async def _count(self, group: Sequence[_Turn]) -> None:
        counts = Counter(turn.workspace_id for turn in group)
        asked = {turn.workspace_id: (counts[turn.workspace_id], turn.limit) for turn in group}
        rates = {number: iter(found) for number, found in (await self._lookups.do(lambda: take_turns(asked))).items()}
        for turn in group:
            turn.rate = next(rates[turn.workspace_id], None)

    async def _accept(self, identity: KeyIdentity, scope: Scope, receive: Receive) -> Told:
        body = await self._bodies.read(receive)
        try:
            if len(body) > LARGE_BODY:
                loop = asyncio.get_running_loop()
                request = await loop.run_in_executor(self._large, _read, identity, scope, body)
            else:
                request = _read(identity, scope, body)
            uids = await self._submitting.submit(request)
        finally:
            self._bodies.let_go(body)
        ids: list[Any] = [{"emailId": write_id(uid)} for uid in uids]
        return Told(200, {"data": ids} if PATHS[scope["path"]] else ids[0], {})


def _read(identity: KeyIdentity, scope: Scope, body: bytes) -> SubmitRequest:
    """Return what a request asks for. Raises _BadJson, ValidationError, and what ``make_request`` raises."""
    value: Any = {}
    if find_header(scope, b"content-type").partition(";")[0].strip().lower() == "application/json":
        try:
            value = read_json(body)
        except (ValueError, RecursionError) as error:
            raise _BadJson from error
    once_key = next((bytes(said).decode("latin-1") for name, said in scope["headers"] if name == _ONCE), None)
    return make_request(identity, read_emails(value, is_batch=PATHS[scope["path"]]), once_key)


def _refuse(error: Exception) -> Told:
    """Return what a request is told that was not accepted, as the handlers of ``api.shared.errors`` do."""
    if isinstance(error, AppError):
        return tell(MANNERS, error)
    if isinstance(error, ValidationError):
        return Told(400, MANNERS.say_unfit(error.errors(include_url=False)), {})
    if isinstance(error, _NoKey):
        return Told(401, MANNERS.say(401, MANNERS.no_key, None), {})
    if isinstance(error, _BadJson):
        return Told(400, MANNERS.say(400, MANNERS.bad_json, None), {})
    log.error("api.unexpected", api="usesend", exc_info=error)
    return Told(500, MANNERS.say(500, MANNERS.unexpected, None), {})
