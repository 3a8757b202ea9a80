"""Runs database work beside the event loop, in a few threads whose connections are checked before use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Final, TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")

_THREADS: Final = 4
_pool: Final = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="smtp-db")


async def in_database_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread with a healthy connection and return what it returns; its exceptions come through."""

    def run() -> T:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(_pool, run)


def close_connections() -> None:
    """Close the connection of every thread; each opens another when it is needed."""
    together = Barrier(_THREADS)  # so that each thread gets one turn

    def close() -> None:
        together.wait(timeout=10)
        connections.close_all()

    wait([_pool.submit(close) for _ in range(_THREADS)])
