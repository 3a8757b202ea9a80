"""LISTEN and NOTIFY: a word from one process to another, sent with a transaction, heard on a connection of its own."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import connection
from psycopg import sql


def notify(channel: str, payload: str = "") -> None:
    """Wake the listeners of ``channel`` when the current transaction commits; equal words count once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


def connection_parameters() -> dict[str, Any]:
    """Return what ``psycopg.connect`` needs for a connection of one's own to Django's database."""
    return connection.get_connection_params()


class Listener:
    """Hears channels on a connection of its own; a context manager, for one thread.

    A word may be lost while the connection is made again, so callers also look by themselves now and then.
    """

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        self._connection: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self, timeout_s: float) -> set[str]:
        """Return the channels a word came on, after at most ``timeout_s``; an empty set when none came.

        Raises ``psycopg.OperationalError`` when the server is away; the next call connects again.
        """
        try:
            heard = self._connect().notifies(timeout=timeout_s, stop_after=1)
            return {word.channel for word in heard}
        except psycopg.OperationalError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up; ``wait`` may be called again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(**connection_parameters() | {"autocommit": True})
            for channel in self._channels:
                self._connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        return self._connection
