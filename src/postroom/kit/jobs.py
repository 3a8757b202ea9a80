"""Deferring work: a job is named here and now, in the caller's transaction, and handled later by a worker."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Job:
    """The name of a job, ``app.verb_noun``, and the queue it waits in; its handler lives in ``workers``."""

    name: str
    queue: str = "default"


def defer(
    job: Job, *, lock: str = "", queueing_lock: str = "", schedule_at: datetime | None = None, **args: JSONValue
) -> None:
    """Have ``job`` run with ``args`` once the current transaction commits, not before ``schedule_at``.

    Jobs with an equal ``lock`` run one after the other. While a job with an equal ``queueing_lock`` waits, no second
    one is added.
    """
    deferrer = app.configure_task(
        job.name,
        queue=job.queue,
        lock=lock or None,
        queueing_lock=queueing_lock or None,
        schedule_at=schedule_at,
    )
    try:
        # The savepoint keeps the caller's transaction alive when the queueing lock refuses.
        with transaction.atomic():
            deferrer.defer(**args)
    except AlreadyEnqueued:
        return
