"""Idempotency of requests: a key is taken once, and answers for a day."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from postroom.core.mail.errors import BadOnceKey, OnceKeyBusy, OnceKeyReused
from postroom.core.mail.models import Acceptance
from postroom.core.mail.types import Once
from postroom.core.workspaces.models import Workspace

KEPT_FOR: Final = timedelta(hours=24)
MAX_KEY: Final = 256

_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))"


def recall_acceptance(*, workspace: Workspace, once: Once, now: datetime) -> list[UUID] | None:
    """Take the key until the transaction ends; return the messages that a request with it was answered with before.

    Raises BadOnceKey, OnceKeyReused for another request, OnceKeyBusy while a request with it is running.
    """
    if not 0 < len(once.key) <= MAX_KEY:
        raise BadOnceKey
    key = _stored(once)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [key.hex(), workspace.pk])
        if cursor.fetchone() != (True,):
            raise OnceKeyBusy
    Acceptance.objects.filter(workspace=workspace, key=key, created_at__lte=now - KEPT_FOR).delete()
    known = Acceptance.objects.filter(workspace=workspace, key=key).first()
    if known is not None and bytes(known.digest) != once.digest:
        raise OnceKeyReused
    return None if known is None else list(known.message_uids)


def remember_acceptance(*, workspace: Workspace, once: Once, message_uids: list[UUID], now: datetime) -> None:
    """Keep the answer to a request, in the transaction that gave it."""
    Acceptance.objects.create(
        workspace=workspace, key=_stored(once), digest=once.digest, message_uids=message_uids, created_at=now
    )


def forget_acceptances(*, now: datetime) -> None:
    """Delete what is too old to be answered again. Safe to repeat."""
    Acceptance.objects.filter(created_at__lte=now - KEPT_FOR).delete()


def _stored(once: Once) -> bytes:
    return hashlib.sha256(once.key.encode(errors="surrogatepass")).digest()
