"""COPY into a table over Django's own connection, inside the caller's transaction: the quickest way in.

What the database refuses is raised as Django's own errors, as from any other statement.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from django.db import connection
from psycopg import Copy, sql

_PIECE: Final = 500


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Append ``rows`` to ``table`` and return how many there were; values are adapted as in a query."""
    count = 0
    with _copying(_statement(table, columns)) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_lines(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Append rows to ``table`` that are lines of COPY's text format already, each with its end: several times as quick
    as ``copy_rows``.
    """
    remaining = iter(lines)
    with _copying(_statement(table, columns)) as copy:
        while piece := "".join(islice(remaining, _PIECE)):
            copy.write(piece)


def copy_octets(statement: bytes, octets: bytes) -> None:
    """Append rows that are lines of COPY's text format already, by a statement of ``copy_statement``."""
    with _copying(statement) as copy:
        copy.write(octets)


def copy_statement(table: str, columns: Sequence[str]) -> bytes:
    """Return the statement that appends rows to ``table``, for a connection of whatever kind; both names are ours."""
    return f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode("ascii")


def copy_cell(text: str) -> str:
    """Return a text as a cell of COPY's text format (PostgreSQL, "COPY", section "Text Format")."""
    # What is absent, as most of it is from most texts, costs next to nothing this way.
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _statement(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


@contextmanager
def _copying(statement: sql.Composed | bytes) -> Iterator[Copy]:
    # What is refused comes to light at the end of the COPY, of which Django's cursor knows nothing.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        yield copy
