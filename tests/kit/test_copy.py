"""COPY over Django's own connection: what the database refuses is raised as from any other statement."""

from collections.abc import Callable

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from postroom.kit.copy import copy_lines, copy_octets, copy_rows, copy_statement

pytestmark = pytest.mark.django_db

COLUMNS = ("number", "word")


@pytest.fixture(autouse=True)
def _table(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (number integer UNIQUE, word text) ON COMMIT DROP")


@pytest.mark.parametrize(
    "copy",
    [
        lambda lines: copy_lines("copied", COLUMNS, lines),
        lambda lines: copy_octets(copy_statement("copied", COLUMNS), "".join(lines).encode()),
        lambda lines: copy_rows("copied", COLUMNS, [line.strip().split("\t") for line in lines]),
    ],
)
def test_what_is_refused_is_an_error_of_djangos_and_spoils_only_its_savepoint(
    copy: Callable[[list[str]], object],
) -> None:
    copy(["1\tone\n"])
    for line, kind in (("1\ttwo\n", IntegrityError), ("three\tthree\n", DataError)):
        with pytest.raises(kind), transaction.atomic():
            copy([line])
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, word FROM copied")
        assert cursor.fetchall() == [(1, "one")]
