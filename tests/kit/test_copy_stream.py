"""COPY from an event loop: stored when it says so, refused with a reason, and never longer than it may take."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import psycopg
import pytest
from django.db import connection

from postroom.kit.copy_stream import CopyStream
from postroom.kit.notify import connection_parameters
from tests.edge.front_door import DatabaseSwitch

COPY = b"COPY copied (number, word) FROM STDIN"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _table(transactional_db: None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE copied (number integer, word text)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE copied")


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def numbers() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM copied ORDER BY number")
        return [number for (number,) in cursor.fetchall()]


def lines(*given: int, word: str = "w") -> bytes:
    return b"\n".join(b"%d\t%s" % (number, word.encode()) for number in given)


def test_groups_of_any_size_are_stored_one_after_the_other() -> None:
    async def story() -> None:
        stream = CopyStream(connection_parameters(), 10)
        await stream.copy(COPY, lines(1, 2))
        await stream.copy(COPY, b"")
        await stream.copy(COPY, lines(3))
        await stream.execute(b"NOTIFY somebody")
        await stream.copy(COPY, lines(*range(4, 2_000), word="x" * 2_000))  # several times what a socket takes at once
        stream.close()

    run(story())
    assert numbers() == list(range(1, 2_000))


def test_a_refused_group_leaves_nothing_and_the_next_one_is_stored() -> None:
    async def story() -> None:
        stream = CopyStream(connection_parameters(), 10)
        with pytest.raises(psycopg.DataError):
            await stream.copy(COPY, b"1\tgood\nx\tbad")
        with pytest.raises(psycopg.ProgrammingError):
            await stream.copy(b"COPY nowhere FROM STDIN", lines(1))
        await stream.copy(COPY, lines(2))
        stream.close()

    run(story())
    assert numbers() == [2]


def test_a_server_that_went_away_is_noticed_and_connected_to_again() -> None:
    async def story() -> None:
        stream = CopyStream(_through(switch), 10)
        await stream.copy(COPY, lines(1))
        switch.off()
        await asyncio.sleep(0.1)
        with pytest.raises(psycopg.OperationalError):
            await stream.copy(COPY, lines(2))
        switch.on()
        await stream.copy(COPY, lines(3))
        stream.close()

    with DatabaseSwitch() as switch:
        run(story())
    assert numbers() == [1, 3]


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    async def story() -> None:
        stream = CopyStream(_through(switch), 0.3)
        await stream.copy(COPY, lines(1))
        with switch.silent():
            for _ in range(2):  # in the middle of a word, and at the door
                began = time.monotonic()
                with pytest.raises(psycopg.OperationalError):
                    await stream.copy(COPY, lines(2))
                assert time.monotonic() - began < 3
        await _try_for_a_while(stream, lines(3))
        stream.close()

    with DatabaseSwitch() as switch:
        run(story())
    assert {1, 3} <= set(numbers())


async def _try_for_a_while(stream: CopyStream, octets: bytes) -> None:
    for _ in range(20):
        try:
            await stream.copy(COPY, octets)
        except psycopg.OperationalError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("it never connects again")


def _through(switch: DatabaseSwitch) -> dict[str, Any]:
    return {**connection_parameters(), "host": str(switch.directory), "port": 5432}
