"""The job engine of a worker: all handlers, under their names, with one way of trying again and of giving up."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from django.db import transaction
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import DjangoApp
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job as StoredJob
from procrastinate.worker import Worker

from postroom.kit.errors import AppError, Unavailable
from postroom.workers.registry import HANDLERS, LAST_RESORTS

MAX_RETRIES: Final = 7
LONGEST_WAIT_S: Final = 600
UNEXPECTED: Final = "Something unexpected went wrong; the log of the workers tells an operator more."

log = structlog.get_logger(__name__)


class RetryUnexpected(BaseRetryStrategy):
    """Try again, ever later, unless the failure was expected: the same input would only be refused once more."""

    def get_retry_decision(self, *, exception: BaseException, job: StoredJob) -> RetryDecision | None:
        """Return when to try again, None for never."""
        is_final = isinstance(exception, AppError) and not _may_pass(exception)
        if is_final or job.attempts >= MAX_RETRIES:
            return None
        return RetryDecision(retry_in={"seconds": min(2 * 3**job.attempts, LONGEST_WAIT_S)})


def build_app() -> App:
    """Return the engine with every registered handler, on an asynchronous pool of its own."""
    engine: App = DjangoApp(
        connector=DjangoConnector().get_worker_connector(), worker_defaults={"task_middleware": [watch_job]}
    )
    for job, handler in HANDLERS.values():
        options: dict[str, Any] = {"name": job.name, "queue": job.queue, "retry": RetryUnexpected()}
        engine.task(**options)(handler)
    return engine


def watch_job(call_next: Callable[[], object], context: JobContext, worker: Worker) -> object:
    """Put the job's id and name on every log line of its handler; when it fails for good, say so to whoever waits."""
    job = context.job
    with structlog.contextvars.bound_contextvars(job_id=job.id, job=job.task_name):
        try:
            return call_next()
        except Exception as error:
            is_expected = isinstance(error, AppError)
            if RetryUnexpected().get_retry_decision(exception=error, job=job) is None:
                give_up(job.task_name, job.task_kwargs, str(error) if is_expected else UNEXPECTED)
            else:
                # The engine tells of the last failure only.
                log.warning("job_will_be_tried_again", attempts=job.attempts + 1, exc_info=not is_expected)
            raise


def give_up(name: str, arguments: Mapping[str, Any], reason: str) -> None:
    """Do what is left to do for a job that is not tried again, before it is marked as failed."""
    if (last_resort := LAST_RESORTS.get(name)) is None:
        return
    try:
        with transaction.atomic():
            last_resort(**arguments, reason=reason)
    except Exception:
        log.exception("giving_up_failed", job=name)


def _may_pass(error: AppError) -> bool:
    return isinstance(error, Unavailable) and not error.facts["permanent"]
