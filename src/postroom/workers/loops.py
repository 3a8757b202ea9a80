"""Runs each loop of the registry in a thread of its own, until told to stop."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import structlog
from django.db import OperationalError, close_old_connections, connections

from postroom.kit import clock
from postroom.kit.notify import Listener
from postroom.workers.registry import Loop

AFTER_AN_ERROR_S: Final = 2.0
STOP_WITHIN_S: Final = 10.0

log = structlog.get_logger(__name__)


@contextmanager
def running_loops(loops: Iterable[Loop]) -> Iterator[None]:
    """Take the steps of ``loops`` while the body runs; leaving waits for the steps under way."""
    stop = threading.Event()
    threads = [threading.Thread(target=_run, args=(loop, stop), name=loop.name, daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(STOP_WITHIN_S)


def _run(loop: Loop, stop: threading.Event) -> None:
    with Listener([loop.wakes_on] if loop.wakes_on else []) as listener:
        while not stop.is_set():
            try:
                _turn(loop, listener, stop)
            except (OperationalError, psycopg.OperationalError) as error:
                log.warning("loop_waits_for_database", loop=loop.name, error=type(error).__name__)
                stop.wait(AFTER_AN_ERROR_S)
            except Exception:
                # Whatever it was, the next look may fare better: a loop ends with its process only.
                log.exception("loop_step_failed", loop=loop.name)
                stop.wait(AFTER_AN_ERROR_S)
        if loop.at_end is not None:
            _end(loop.at_end, loop.name)
    connections.close_all()


def _end(at_end: Callable[[], None], name: str) -> None:
    try:
        at_end()
    except Exception:
        log.exception("loop_end_failed", loop=name)


def _turn(loop: Loop, listener: Listener, stop: threading.Event) -> None:
    close_old_connections()
    while loop.step(clock.now()) and not stop.is_set():
        pass
    if loop.wakes_on:
        listener.wait(loop.every_s)
    else:
        stop.wait(loop.every_s)
