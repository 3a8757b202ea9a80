"""The job engine of a worker: all handlers, under their names, with one way of trying again."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import DjangoApp
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job as StoredJob
from procrastinate.worker import Worker

from postroom.kit.errors import AppError, Unavailable
from postroom.workers.registry import HANDLERS

MAX_RETRIES: Final = 7
LONGEST_WAIT_S: Final = 600


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
        connector=DjangoConnector().get_worker_connector(), worker_defaults={"task_middleware": [bind_job]}
    )
    for job, handler in HANDLERS.values():
        options: dict[str, Any] = {"name": job.name, "queue": job.queue, "retry": RetryUnexpected()}
        engine.task(**options)(handler)
    return engine


def bind_job(call_next: Callable[[], object], context: JobContext, worker: Worker) -> object:
    """Put the job's id and name on every log line of its handler."""
    with structlog.contextvars.bound_contextvars(job_id=context.job.id, job=context.job.task_name):
        return call_next()


def _may_pass(error: AppError) -> bool:
    return isinstance(error, Unavailable) and not error.facts["permanent"]
