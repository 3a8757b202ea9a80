"""How long the statements of a claim take, by what they are for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection, transaction

from postroom.core.mail import services as mail
from postroom.core.mail.services import claims
from postroom.kit import clock

_NAMES: Final = {
    claims._DUE: "find due messages",
    claims._CLAIM_MESSAGES: "claim messages",
    claims._SENDING_BATCH: "find a batch",
    claims._CLAIM_CHUNK: "claim a chunk",
}


def time_claim(took: dict[str, list[float]], owner: str, *, is_kept: bool = False) -> bool:
    """Add how long (s) each statement of a claim took to ``took``; whether there was one. It is taken back unless it
    ``is_kept``.
    """
    with _timed(took), transaction.atomic():
        work = mail.claim_work(owner=owner, now=clock.now())
        transaction.set_rollback(not is_kept)
    return work is not None


def percentile(values: list[float], share: int) -> float:
    """Return the value below which ``share`` percent of the values lie."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


@contextmanager
def _timed(took: dict[str, list[float]]) -> Iterator[None]:
    def measure(execute: Callable[..., Any], sql: str, params: object, many: bool, context: dict[str, Any]) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took.setdefault(_NAMES.get(sql, "any other"), []).append(time.perf_counter() - started)

    with connection.execute_wrapper(measure):
        yield
