"""COPY from an event loop over a connection of its own: the least that libpq allows, for many small groups of rows.

psycopg makes the connection. Its own COPY costs twice the processor time of a small group, and it cannot be left in the
middle when the server does not answer.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg.errors import ConnectionTimeout, error_from_result

# What Django wants of a connection of its own and an asynchronous one has no use for.
_DJANGO_ONLY: Final = ("context", "cursor_factory", "prepare_threshold")


class CopyStream:
    """A connection that is made when it is needed, and again after whatever went wrong; for one task at a time."""

    def __init__(self, parameters: Mapping[str, Any], timeout_s: float) -> None:
        self._parameters = {name: value for name, value in parameters.items() if name not in _DJANGO_ONLY}
        self._timeout_s = timeout_s
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._socket = -1
        self._waiter: asyncio.Future[None] | None = None

    async def copy(self, statement: bytes, octets: bytes) -> None:
        """Return once the lines in ``octets`` are stored for good. Raises psycopg.Error, of the class that says why;
        after an OperationalError they may be stored all the same.
        """
        await self._talk(statement, octets)

    async def execute(self, statement: bytes) -> None:
        """Run a statement that returns no rows. Raises psycopg.Error."""
        await self._talk(statement)

    def close(self) -> None:
        """Hang up, also in the middle of a word; the next use makes another connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            connection.pgconn.finish()

    async def _talk(self, statement: bytes, octets: bytes | None = None) -> None:
        pgconn = await self._connect()
        deadline = asyncio.get_running_loop().call_later(self._timeout_s, self._fail)
        try:
            pgconn.send_query(statement)
            if octets is not None:
                await self._expect(pgconn, pq.ExecStatus.COPY_IN)
                pgconn.put_copy_data(octets)
                pgconn.put_copy_end()
            await self._expect(pgconn, pq.ExecStatus.COMMAND_OK)
            await self._hear(pgconn)  # the end of the answer
        except BaseException:
            self.close()
            raise
        finally:
            deadline.cancel()

    async def _expect(self, pgconn: "pq.abc.PGconn", status: int) -> None:
        result = await self._hear(pgconn)
        if result is None:
            raise psycopg.OperationalError("The server says nothing.")
        if result.status != status:
            raise error_from_result(result)

    async def _hear(self, pgconn: "pq.abc.PGconn") -> "pq.abc.PGresult | None":
        while pgconn.flush():
            await self._can_write()
        while pgconn.is_busy():
            await self._wait()
            pgconn.consume_input()
        return pgconn.get_result()

    async def _can_write(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_writer(self._socket, self._wake)
        try:
            await self._wait()
        finally:
            loop.remove_writer(self._socket)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        """Called for as long as there is something to read: when nobody expects it, the server has hung up."""
        if self._waiter is None:
            self.close()
        elif not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionTimeout("The server does not answer."))

    async def _connect(self) -> "pq.abc.PGconn":
        if self._connection is None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    connection = await psycopg.AsyncConnection.connect(**self._parameters)
            except TimeoutError as error:
                raise ConnectionTimeout("The server lets nobody in.") from error
            self._connection, self._socket = connection, connection.pgconn.socket
            asyncio.get_running_loop().add_reader(self._socket, self._wake)
        return self._connection.pgconn
