"""Where the hits of this process become durable: a group commit over a connection of its own."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import psycopg

from postroom.core.mail.services.hits import STORE_HITS, hit_parameters
from postroom.core.mail.types import Hit
from postroom.kit.group_commit import GroupCommit
from postroom.kit.notify import connection_parameters

_TIMEOUT_S: Final = 5.0
# What Django wants of a connection of its own and an asynchronous one has no use for.
_DJANGO_ONLY: Final = ("context", "cursor_factory", "prepare_threshold")


class HitStore:
    """Stores hits for one event loop."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._commits = GroupCommit[Hit](self._store)

    async def put(self, hit: Hit) -> None:
        """Return once ``hit`` is durable. Raises QueueFull, psycopg.Error or TimeoutError."""
        await self._commits.put(hit)

    async def close(self) -> None:
        """Store what is waiting, then hang up."""
        await self._commits.drain()
        await self._hang_up()

    async def _store(self, hits: Sequence[Hit]) -> None:
        """Try twice, since the server may have been restarted. Hits that were stored by a commit whose answer got lost
        are stored again; equal keys count once.
        """
        parameters = hit_parameters(hits)
        try:
            await self._execute(parameters)
        except (psycopg.OperationalError, TimeoutError):
            await self._execute(parameters)

    async def _execute(self, parameters: tuple[str, str]) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                connection = await self._connect()
                await connection.execute(STORE_HITS, parameters, prepare=True)
        except (psycopg.OperationalError, TimeoutError):
            await self._hang_up()
            raise

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None:
            parameters = connection_parameters()
            for name in _DJANGO_ONLY:
                parameters.pop(name, None)
            self._connection = await psycopg.AsyncConnection.connect(**parameters | {"autocommit": True})
        return self._connection

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
