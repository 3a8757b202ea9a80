"""What the sender process does in the database, from its threads."""

import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from postroom.core.mail import services as mail
from postroom.core.mail.ports import Handover
from postroom.core.mail.rules.compose import CompiledContent
from postroom.core.mail.selectors import load_compiled_content
from postroom.core.mail.types import NOTIFY_QUEUE, ChunkClaim, Standing, Work
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.kit.notify import Listener
from postroom.workers.journal import abandoned_journals
from postroom.workers.sender.runs import Contents

RETRY_S: Final = 0.5
TELL_S: Final = 10.0
"""How often the accounts are told that their servers work."""
SAY_S: Final = 10.0
"""How often a sender says that it is there."""
CHECK_S: Final = 1.0
"""How often the figures of a batch are looked at when nothing of it failed."""
ENDING: Final = threading.Event()
"""Set when the process will wait for the database no longer."""

T = TypeVar("T")


class DatabaseAway(Exception):
    """The database does not answer, or its answer was lost."""


log = structlog.get_logger(__name__)


def retried(act: Callable[[], T]) -> T:
    """Return what ``act`` returns, tried again on a fresh connection for as long as the database is away.

    Once the process is ending it fails instead: what is not booked then is in the journal.
    """
    while True:
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            log.warning("database_away", reason=str(error).strip())
            connection.close()
            if ENDING.wait(RETRY_S):
                raise


def claim(owner: str, busy: Collection[tuple[int, int]], full: Collection[tuple[int, int]]) -> Work | None:
    """Take the next piece of work, or None when there is none. Raises DatabaseAway: it may have been taken or not."""
    with _database_may_be_away():
        return mail.claim_work(owner=owner, now=clock.now(), busy=busy, full=full)


def put_back_unknown(owner: str, known: Collection[Work]) -> None:
    """Put back what a sender holds beside the claims it knows of. Raises DatabaseAway."""
    with _database_may_be_away():
        count = mail.put_back_unknown(owner=owner, known=known, now=clock.now())
    if count:
        log.warning("unknown_claims_put_back", claims=count)


@contextmanager
def _database_may_be_away() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        log.warning("database_away", reason=str(error).strip())
        connection.close()
        raise DatabaseAway from error


def load_contents(work: Work) -> Contents:
    """Return the compiled contents that a claim's messages are made from, or why one cannot be compiled."""
    return {number: _load_content(number) for number in {item.mailing.content_id for item in work.items}}


def _load_content(number: int) -> CompiledContent | AppError:
    try:
        return retried(lambda: load_compiled_content(content_id=number))
    except AppError as error:
        return error


class Books:
    """Writes down what became of claims; used from one thread."""

    def __init__(self) -> None:
        self._told_at: dict[tuple[str, int], float] = {}

    def close(self, work: Work, handovers: Sequence[Handover]) -> None:
        """Write the results of a claim to the ledger and end it; a claim that is lost by now changes nothing."""
        claim, now = work.claim, clock.now()
        if isinstance(claim, ChunkClaim):
            is_ours = mail.finish_chunk(claim=claim, handovers=handovers, now=now)
        else:
            is_ours = mail.finish_messages(claim=claim, handovers=handovers, now=now)
        if not is_ours:
            log.warning("claim_lost", claim=str(claim)[:200])
            return
        mail.return_grants(grants=work.grants, count=len(work.items) - len(handovers))
        has_answers = any(handover.result is not None and handover.result.code for handover in handovers)
        if has_answers and (self._is_due("account", work.route_id, TELL_S) or work.is_probe):
            mail.report_sender_success(sender_id=work.route_id, now=now)
        has_failed = any(handover.result is not None and handover.result.code >= 500 for handover in handovers)
        for batch_id in {item.mailing.batch_id for item in work.items} - {None}:
            if batch_id is not None and (has_failed or self._is_due("batch", batch_id, CHECK_S)):
                mail.check_brakes(batch_id=batch_id, now=now)

    def _is_due(self, kind: str, number: int, every_s: float) -> bool:
        """Whether it is time for what would cost a statement or a commit too many after each claim."""
        at = time.monotonic()
        if at - self._told_at.get((kind, number), -every_s) < every_s:
            return False
        self._told_at[kind, number] = at
        return True


def report_failure(sender_id: int, reason: str, is_permanent: bool) -> None:
    """Note that an account's server cannot be used."""
    mail.report_sender_failure(sender_id=sender_id, error=reason, permanent=is_permanent, now=clock.now())


def recover() -> None:
    """Settle what dead senders of this machine left in their journals."""
    for journal in abandoned_journals(Path(settings.JOURNAL_DIR)):
        try:
            count = mail.recover_claims(owner=journal.owner, journal=journal.reading, now=clock.now())
        except Exception:
            connection.close()
            log.exception("recovery_failed", dead=journal.owner)  # the journal is still there for the next time
            continue
        journal.remove()
        say_gone(journal.owner)
        log.info("journal_replayed", dead=journal.owner, claims=count, entries=len(journal.reading.entries))


def say_gone(owner: str) -> None:
    """Forget a sender that ended and left nothing behind."""
    try:
        mail.forget_sender(owner=owner, now=clock.now())
    except (OperationalError, InterfaceError):
        connection.close()  # it is forgotten some day all the same


class Watcher:
    """Looks what an owner still holds, and waits for words about the queue; used from one call at a time."""

    def __init__(self, owner: str, longest_s: float) -> None:
        self._owner = owner
        self._longest_s = longest_s
        self._listener = Listener((NOTIFY_QUEUE,))
        self._said_at = -SAY_S

    def look(self) -> Standing | None:
        """Return what is still ours, or None when the database is away."""
        try:
            self._say_here()
            return mail.check_claims(owner=self._owner)
        except (OperationalError, InterfaceError):
            connection.close()
            return None

    def wait(self) -> None:
        """Return when a word came, or after a while; at least a moment apart, however many words come."""
        time.sleep(min(0.05, self._longest_s))
        try:
            self._listener.wait(self._longest_s)
        except psycopg.OperationalError:
            time.sleep(RETRY_S)

    def close(self) -> None:
        """Hang up."""
        self._listener.close()

    def _say_here(self) -> None:
        if time.monotonic() - self._said_at >= SAY_S:
            mail.note_sender(owner=self._owner, host=socket.gethostname(), now=clock.now())
            self._said_at = time.monotonic()
