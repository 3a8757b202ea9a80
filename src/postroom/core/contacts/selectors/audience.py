"""Reads of audiences: everybody a campaign is for, in chunks by key, each person once."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from postroom.core.contacts.selectors.segments import (
    FREEZE_LIMIT_MS,
    PEOPLE,
    get_segment_by_id,
    segment_sql,
    segment_time_limit,
    set_limits,
    too_slow_said,
    unset_limits,
)
from postroom.core.contacts.types import Audience, Sql
from postroom.core.workspaces.models import Workspace

# IS TRUE makes it one look-up per person: as a join it goes wrong with a list that grew since the last ANALYZE.
_ON_LISTS = (
    " AND (EXISTS (SELECT 1 FROM contacts_listmember m JOIN contacts_list l ON l.id = m.list_id"
    " WHERE m.contact_id = c.id AND l.workspace_id = %s AND m.list_id = ANY(%s))) IS TRUE"
)


def iter_audience(
    *, workspace: Workspace, audience: Audience, now: datetime, chunk: int = 5_000
) -> Iterator[list[tuple[int, str, str]]]:
    """Yield (contact id, e-mail, time zone) of everybody with an address, in chunks by ascending id; within a
    transaction. The zone is empty where none is known.

    Whoever is on several of the lists comes once; whether they may be mailed is for ``load_mail_states`` and the rule.
    Raises NoSuchSegment, BadFilter, and SegmentTooSlow after ten minutes in the database.
    """
    people = _people(workspace, audience, now)
    # One scan whatever its plan, read through a server-side cursor: a look-up per chunk would sort the rest each time.
    # The limit ends with the caller's transaction, or here.
    with too_slow_said(), connection.chunked_cursor() as cursor:
        set_limits(FREEZE_LIMIT_MS)
        cursor.execute(f"SELECT c.id, c.email, c.timezone FROM {people.text} ORDER BY w.contact_id", people.params)  # noqa: S608 - all that a user wrote is a parameter
        while rows := cursor.fetchmany(chunk):
            yield rows
        unset_limits()


def count_audience(*, workspace: Workspace, audience: Audience, now: datetime) -> int:
    """Return how many people ``iter_audience`` would yield, in at most five seconds.

    Raises NoSuchSegment, BadFilter, SegmentTooSlow.
    """
    people = _people(workspace, audience, now)
    with segment_time_limit(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {people.text}", people.params)  # noqa: S608 - as above
        (count,) = cursor.fetchone()
    return int(count)


def count_audience_zones(*, workspace: Workspace, audience: Audience, now: datetime) -> dict[str, int]:
    """Return how many people of an audience live in each time zone ("" where none is known), in at most five seconds.

    Raises NoSuchSegment, BadFilter, SegmentTooSlow.
    """
    return _count_by("c.timezone", _people(workspace, audience, now))


def count_audience_domains(*, workspace: Workspace, audience: Audience, now: datetime) -> dict[str, int]:
    """Return how many people of an audience have an address at each domain, in at most five seconds.

    Raises NoSuchSegment, BadFilter, SegmentTooSlow.
    """
    return _count_by("split_part(c.email, '@', 2)", _people(workspace, audience, now))


def _count_by(column: str, people: Sql) -> dict[str, int]:
    with segment_time_limit(), connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}, count(*) FROM {people.text} GROUP BY 1", people.params)  # noqa: S608 - as above
        return dict(cursor.fetchall())


def has_audience(*, workspace: Workspace, audience: Audience, now: datetime) -> bool:
    """Return whether ``iter_audience`` would yield anybody, in at most five seconds.

    Raises NoSuchSegment, BadFilter, SegmentTooSlow.
    """
    people = _people(workspace, audience, now)
    with segment_time_limit(), connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {people.text})", people.params)  # noqa: S608 - as above
        (found,) = cursor.fetchone()
    return bool(found)


def _people(workspace: Workspace, audience: Audience, now: datetime) -> Sql:
    text, params = f"{PEOPLE} AND c.email IS NOT NULL", (workspace.pk, workspace.organization_id)
    parts = [Sql(text, params)]
    if audience.list_ids:
        parts.append(Sql(_ON_LISTS, (workspace.pk, list(audience.list_ids))))
    if audience.segment_id is not None:
        segment = get_segment_by_id(workspace=workspace, segment_id=audience.segment_id)
        narrowed = segment_sql(workspace=workspace, filter_=segment.filter, now=now)
        parts.append(Sql(f" AND {narrowed.text}", narrowed.params))
    return Sql("".join(part.text for part in parts), tuple(param for part in parts for param in part.params))
