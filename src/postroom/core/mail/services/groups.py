"""Groups of requests from many callers: what goes wrong with one is that one's alone, and nothing is stored twice."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction

from postroom.core.mail.errors import NotStored
from postroom.core.mail.services.submit import submit_requests
from postroom.core.mail.types import SubmitRequest
from postroom.kit.errors import AppError

log = structlog.get_logger(__name__)


def submit_group(*, requests: Sequence[SubmitRequest], now: datetime) -> list[list[UUID] | Exception]:
    """Accept requests as ``submit_requests`` does, in a transaction of its own; when that goes wrong in a way that
    nobody foresaw, each in one of its own. What an outcome raises then is whatever went wrong.

    An outcome is NotStored where nobody knows whether it was: trying again could store it twice.
    """
    try:
        return [*_submit(requests, now)]
    except NotStored as error:
        return [error] * len(requests)
    except Exception as error:
        if len(requests) == 1:
            log.exception("submission_failed", error=type(error).__name__)
            return [error]
        log.warning("group_failed", error=type(error).__name__, requests=len(requests))
    if connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()
    return [outcome for request in requests for outcome in submit_group(requests=[request], now=now)]


def _submit(requests: Sequence[SubmitRequest], now: datetime) -> list[list[UUID] | AppError]:
    """Raises NotStored where the server went away between our word and its answer. What it refuses at the end, for a
    row that somebody else has just deleted, is not stored.
    """
    is_told = False
    try:
        with transaction.atomic():
            outcomes = submit_requests(requests=requests, now=now)
            is_told = True
    except IntegrityError:
        raise
    except DatabaseError as error:
        if is_told:
            raise NotStored from error
        raise
    return outcomes
