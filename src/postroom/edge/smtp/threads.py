"""Runs database work beside the event loop, in a few threads whose connections are checked before use."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import close_old_connections

T = TypeVar("T")

_pool: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="smtp-db")


async def in_database_thread(work: Callable[[], T]) -> T:
    """Run ``work`` in a thread with a healthy connection and return what it returns; its exceptions come through."""

    def run() -> T:
        close_old_connections()
        return work()

    return await asyncio.get_running_loop().run_in_executor(_pool, run)
