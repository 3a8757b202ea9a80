"""Deferring work: a job is named here and now, in the caller's transaction, and handled later by a worker."""

from dataclasses import dataclass
from datetime import datetime

from procrastinate.contrib.django import app

from postroom.kit.types import JSONValue


@dataclass(frozen=True, slots=True)
class Job:
    """The name of a job, ``app.verb_noun``, and the queue it waits in; its handler lives in ``workers``."""

    name: str
    queue: str = "default"


def defer(job: Job, *, lock: str = "", schedule_at: datetime | None = None, **args: JSONValue) -> None:
    """Have ``job`` run with ``args`` once the current transaction commits, not before ``schedule_at``.

    Jobs with an equal ``lock`` run one after the other.
    """
    deferrer = app.configure_task(job.name, queue=job.queue, lock=lock or None, schedule_at=schedule_at)
    deferrer.defer(**args)
