"""Statements for the few places that run all the time: planned once for a connection, and sent several at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor

T = TypeVar("T")

Rows = list[tuple[Any, ...]]


class Asked(Generic[T]):
    """What a statement will have answered once the pipeline that it was sent in has ended."""

    def __init__(self, cursor: Any, read: Callable[[Rows], T]) -> None:
        self._cursor = cursor
        self._read = read

    def get(self) -> T:
        """Return the answer; once."""
        with self._cursor as cursor:
            return self._read(list(cursor.fetchall()))


@contextmanager
def pipelined() -> Iterator[None]:
    """Send the statements of the block together, whose answers come at its end: they wait for the server once.

    Raises django.db.DatabaseError, for the first of them that failed.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask_prepared(statement: str, parameters: Mapping[str, Any], read: Callable[[Rows], T]) -> Asked[T]:
    """Send a statement over Django's connection; ``read`` makes the answer of its rows.

    The types of its parameters must be written into it, as ``%(ids)s::bigint[]``.
    """
    return Asked(_execute(statement, parameters), read)


def fetch_prepared(statement: str, parameters: Mapping[str, Any]) -> Rows:
    """Run a statement in the same way and return its rows."""
    return ask_prepared(statement, parameters, list).get()


def run_prepared(statement: str, parameters: Mapping[str, Any]) -> None:
    """Run a statement that returns no rows; in a pipeline nobody waits for it yet."""
    _execute(statement, parameters).close()


def _execute(statement: str, parameters: Mapping[str, Any]) -> Any:
    connection.ensure_connection()
    raw = connection.connection
    if raw.prepare_threshold is None:  # Django's own statements are never prepared, and stay so
        raw.prepare_threshold = 0
        raw.execute("SET plan_cache_mode = force_generic_plan")  # else a statement for one row is planned at every use
    with connection.wrap_database_errors:
        # As Django makes its own, but for where parameters are put in.
        make_cursor: Any = ServerBindingCursor
        wrapper: Any = connection
        cursor = wrapper._prepare_cursor(make_cursor(raw))
        cursor.execute(statement, parameters)
        return cursor
