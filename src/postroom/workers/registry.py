"""What a worker does: handlers of jobs by name, and loops that look for due work again and again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from postroom.kit.jobs import Job

Handler = Callable[..., None]
Step = Callable[[datetime], bool]
H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Loop:
    """A step taken every so many seconds, or when a word comes on ``wakes_on``; True asks for the next at once.

    ``at_end`` is called when no step follows any more.
    """

    step: Step
    every_s: float
    wakes_on: str = ""
    at_end: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        """The step's own name, for log lines."""
        return getattr(self.step, "__name__", repr(self.step))


HANDLERS: Final[dict[str, tuple[Job, Handler]]] = {}
LAST_RESORTS: Final[dict[str, Handler]] = {}
LOOPS: Final[list[Loop]] = []


def handles(job: Job) -> Callable[[H], H]:
    """Make the decorated function the handler of ``job``: keyword arguments only, safe to run twice."""

    def register(function: H) -> H:
        if job.name in HANDLERS:
            raise LookupError(f"The job {job.name} has a handler already.")
        HANDLERS[job.name] = (job, function)
        return function

    return register


def gives_up(job: Job) -> Callable[[H], H]:
    """Call the decorated function with the arguments of ``job`` and a ``reason`` once it is not tried again, so that
    what waits for it can be told. It must be safe to run twice.
    """

    def register(function: H) -> H:
        LAST_RESORTS[job.name] = function
        return function

    return register


def every(seconds: float, *, wakes_on: str = "", at_end: Callable[[], None] | None = None) -> Callable[[Step], Step]:
    """Have every worker take the decorated step again and again; several workers may take it at the same time."""

    def register(step: Step) -> Step:
        LOOPS.append(Loop(step, seconds, wakes_on, at_end))
        return step

    return register
