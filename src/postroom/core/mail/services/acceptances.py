"""Idempotency of requests: a key is taken once, and answers for a day."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from postroom.core.mail.errors import BadOnceKey, OnceKeyBusy, OnceKeyReused
from postroom.core.mail.models import Acceptance
from postroom.core.mail.types import Once
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.errors import AppError
from postroom.kit.prepared import ask_prepared, pipelined, run_prepared

KEPT_FOR: Final = timedelta(hours=24)
MAX_KEY: Final = 256

_LOCK: Final = """
SELECT pg_try_advisory_xact_lock(hashtextextended(encode(x.key, 'hex'), x.workspace_id))
FROM unnest(%(workspaces)s::bigint[], %(keys)s::bytea[]) WITH ORDINALITY AS x(workspace_id, key, number) ORDER BY number
"""
_KNOWN: Final = """
SELECT a.workspace_id, a.key, a.digest, a.message_uids
FROM unnest(%(workspaces)s::bigint[], %(keys)s::bytea[]) AS x(workspace_id, key)
JOIN mail_acceptance a ON a.workspace_id = x.workspace_id AND a.key = x.key AND a.created_at > %(since)s::timestamptz
"""
# One that is too old to be answered again gives way.
_REMEMBER: Final = """
INSERT INTO mail_acceptance (workspace_id, key, digest, message_uids, created_at)
SELECT x.workspace_id, x.key, x.digest, x.uids::uuid[], %(now)s::timestamptz
FROM unnest(%(workspaces)s::bigint[], %(keys)s::bytea[], %(digests)s::bytea[], %(uids)s::text[])
    AS x(workspace_id, key, digest, uids)
ON CONFLICT (workspace_id, key) DO UPDATE
SET digest = excluded.digest, message_uids = excluded.message_uids, created_at = excluded.created_at
"""


class Asked(NamedTuple):
    """A workspace's request that is to have its effect once."""

    workspace_id: int
    once: Once

    @property
    def stored_key(self) -> bytes:
        """What stands for the caller's key."""
        return hashlib.sha256(self.once.key.encode(errors="surrogatepass")).digest()


def recall_acceptances(*, asked: Sequence[Asked], now: datetime) -> list[list[UUID] | AppError | None]:
    """Take keys, each named once, until the transaction ends; return the messages that a request with one was answered
    with before, None for a fresh one.

    For a key that cannot be taken it is BadOnceKey, OnceKeyBusy while a request with it is running, or OnceKeyReused.
    """
    keys = [one.stored_key for one in asked]
    places: dict[str, Any] = {"workspaces": array_text(one.workspace_id for one in asked), "keys": keys}
    with pipelined():
        taken = ask_prepared(_LOCK, places, list)
        # By a statement of its own: it sees what whoever held a key before has written.
        answered = ask_prepared(_KNOWN, places | {"since": now - KEPT_FOR}, list)
    known = {(row[0], bytes(row[1])): (bytes(row[2]), row[3]) for row in answered.get()}
    return [
        _answer(one, known.get((one.workspace_id, key))) if is_taken else OnceKeyBusy()
        for one, key, (is_taken,) in zip(asked, keys, taken.get(), strict=True)
    ]


def remember_acceptances(*, answers: Mapping[Asked, Sequence[UUID]], now: datetime) -> None:
    """Keep the answers to requests, in the transaction that gave them."""
    parameters = {
        "workspaces": array_text(one.workspace_id for one in answers),
        "keys": [one.stored_key for one in answers],
        "digests": [one.once.digest for one in answers],
        "uids": text_array_text(array_text(uids) for uids in answers.values()),
        "now": now,
    }
    run_prepared(_REMEMBER, parameters)


def forget_acceptances(*, now: datetime) -> None:
    """Delete what is too old to be answered again. Safe to repeat."""
    Acceptance.objects.filter(created_at__lte=now - KEPT_FOR).delete()


def _answer(one: Asked, known: tuple[bytes, list[UUID]] | None) -> list[UUID] | AppError | None:
    if not 0 < len(one.once.key) <= MAX_KEY:
        return BadOnceKey()
    if known is None:
        return None
    digest, uids = known
    return uids if digest == one.once.digest else OnceKeyReused()
