"""Reads of those who got a bulk hand-over and did nothing with it."""

from collections.abc import Iterator
from typing import Final

from django.db import connection

from postroom.core.mail.types import Unmoved

_OPENED: Final = "m.opened_at IS NULL AND m.clicked_at IS NULL AND m.replied_at IS NULL"
_CLICKED: Final = "m.clicked_at IS NULL AND m.replied_at IS NULL"

# By person, not by message: of two merged people both got it, and one of them may have read it.
_PEOPLE: Final = """
FROM (SELECT m.contact_id AS id FROM mail_message m WHERE m.batch_id = %s AND m.contact_id IS NOT NULL
    GROUP BY m.contact_id
    HAVING bool_or(m.status = 'sent') AND bool_and(m.bounced_at IS NULL AND m.complained_at IS NULL
        AND m.unsubscribed_at IS NULL AND m.status <> 'in_doubt' AND {still})) u
JOIN contacts_contact c ON c.id = u.id WHERE c.email IS NOT NULL
"""


def iter_unmoved(*, unmoved: Unmoved, chunk: int = 5_000) -> Iterator[list[tuple[int, str, str]]]:
    """Yield (contact id, e-mail, time zone) of everybody of the audience, in chunks by ascending id; within a
    transaction. Nobody who bounced, complained, unsubscribed, replied, or may not have got it at all, is among them.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"SELECT c.id, c.email, c.timezone {_people(unmoved)} ORDER BY 1", [unmoved.batch_id])
        while rows := cursor.fetchmany(chunk):
            yield rows


def count_unmoved_zones(*, unmoved: Unmoved) -> dict[str, int]:
    """Return how many people ``iter_unmoved`` would yield, by time zone ("" where none is known)."""
    return _count_by("c.timezone", unmoved)


def count_unmoved_domains(*, unmoved: Unmoved) -> dict[str, int]:
    """Return how many people ``iter_unmoved`` would yield, by the domain of their address."""
    return _count_by("split_part(c.email, '@', 2)", unmoved)


def _count_by(column: str, unmoved: Unmoved) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}, count(*) {_people(unmoved)} GROUP BY 1", [unmoved.batch_id])
        return dict(cursor.fetchall())


def _people(unmoved: Unmoved) -> str:
    return _PEOPLE.format(still=_CLICKED if unmoved.by_clicks else _OPENED)
