"""Reads of segments: who matches a filter. One statement each, fenced by the workspace's links."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models.expressions import RawSQL
from psycopg.errors import QueryCanceled

from postroom.core.contacts import rules
from postroom.core.contacts.errors import NoSuchSegment, SegmentTooSlow
from postroom.core.contacts.models import Segment, SegmentSize
from postroom.core.contacts.rules import Filter
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.selectors.filter_names import load_room
from postroom.core.contacts.types import SegmentPreview, Sql
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue

WAIT_LIMIT_MS: Final = 5_000
"""How long a segment may take while a person waits for it."""
FREEZE_LIMIT_MS: Final = 600_000
"""How long a segment may take when a campaign freezes its audience: ten minutes."""
SAMPLE_SIZE: Final = 10

# A segment over a million people may keep a set of them in memory instead of looking each one up.
_WORK_MEM: Final = "96MB"

# The people are found once; the newest few are told with the count on each of their rows. Nobody found: one row.
_PREVIEW: Final = """
WITH found AS MATERIALIZED (SELECT c.id FROM {people})
SELECT total.count, c.id, COALESCE(c.email, ''), TRIM(c.first_name || ' ' || c.last_name)
FROM (SELECT count(*) FROM found) total
LEFT JOIN (SELECT id FROM found ORDER BY id DESC LIMIT %s) newest ON true
LEFT JOIN contacts_contact c ON c.id = newest.id
ORDER BY c.id DESC
"""
PEOPLE: Final = (
    "contacts_contactworkspace w JOIN contacts_contact c ON c.id = w.contact_id"
    " WHERE w.workspace_id = %s AND (c.organization_id = %s) IS TRUE AND c.erased_at IS NULL"
)
"""The people of a workspace, to be narrowed further; parameters: workspace, organization.

``IS TRUE`` keeps the planner from walking the organization's index once per link, as it would for an organization that
it thinks empty because it grew since the last ANALYZE (20,000 people: 160 s instead of 0.3 s).
"""


def get_segment(*, workspace: Workspace, uid: UUID) -> Segment:
    """Return a segment of the workspace. Raises NoSuchSegment."""
    segment = Segment.objects.filter(workspace=workspace, uid=uid).first()
    if segment is None:
        raise NoSuchSegment(uid=uid)
    return segment


def get_segment_by_id(*, workspace: Workspace, segment_id: int) -> Segment:
    """Return a segment of the workspace by key. Raises NoSuchSegment."""
    segment = Segment.objects.filter(workspace=workspace, pk=segment_id).first()
    if segment is None:
        raise NoSuchSegment(id=segment_id)
    return segment


def list_segments(*, workspace: Workspace) -> list[Segment]:
    """Return the workspace's segments by name."""
    return list(Segment.objects.filter(workspace=workspace).order_by("name", "pk"))


def list_segment_sizes(*, segment: Segment) -> list[SegmentSize]:
    """Return what a segment counted so far, oldest first."""
    return list(SegmentSize.objects.filter(segment=segment).order_by("at"))


def parse_segment(*, workspace: Workspace, filter_: JSONValue) -> Filter:
    """Return the typed form of a filter of the workspace. Raises BadFilter."""
    return rules.parse_filter(filter_, list_field_specs(workspace=workspace))


def segment_sql(*, workspace: Workspace, filter_: JSONValue, now: datetime) -> Sql:
    """Return a filter as a boolean expression over ``c`` and ``w``. Raises BadFilter."""
    parsed = parse_segment(workspace=workspace, filter_=filter_)
    return rules.compile_filter(parsed, load_room(workspace=workspace, filter_=parsed, now=now))


def people_sql(*, workspace: Workspace, filter_: JSONValue, now: datetime) -> Sql:
    """Return ``FROM …`` of the people of a workspace who match a filter. Raises BadFilter."""
    narrowed = segment_sql(workspace=workspace, filter_=filter_, now=now)
    return Sql(f"{PEOPLE} AND {narrowed.text}", (workspace.pk, workspace.organization_id, *narrowed.params))


def matching_ids(*, workspace: Workspace, filter_: JSONValue, now: datetime | None = None) -> RawSQL:
    """Return the matching people's keys as a sub-query for other reads; ``now`` is when the transaction began unless it
    is told. Raises BadFilter.
    """
    people = people_sql(workspace=workspace, filter_=filter_, now=now or _transaction_time())
    return RawSQL(f"SELECT c.id FROM {people.text}", people.params)  # noqa: S608 - all that a user wrote is a parameter


def _transaction_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        (now,) = cursor.fetchone()
    return cast("datetime", now)


def preview_segment(*, workspace: Workspace, filter: JSONValue, now: datetime) -> SegmentPreview:
    """Return how many match and the newest few, in one statement and at most five seconds.

    Raises BadFilter, SegmentTooSlow.
    """
    people = people_sql(workspace=workspace, filter_=filter, now=now)
    with segment_time_limit(), connection.cursor() as cursor:
        cursor.execute(_PREVIEW.format(people=people.text), (*people.params, SAMPLE_SIZE))
        rows = cursor.fetchall()
    return SegmentPreview(count=rows[0][0], sample=tuple(row[1:] for row in rows if row[1] is not None))


def count_segment(*, workspace: Workspace, filter: JSONValue, now: datetime) -> int:
    """Return how many match, in at most five seconds. Raises BadFilter, SegmentTooSlow."""
    people = people_sql(workspace=workspace, filter_=filter, now=now)
    with segment_time_limit(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {people.text}", people.params)  # noqa: S608 - as above
        (count,) = cursor.fetchone()
    return int(count)


@contextmanager
def segment_time_limit(*, limit_ms: int | None = None) -> Iterator[None]:
    """End every statement of the block after ``limit_ms``, or ``WAIT_LIMIT_MS``. Raises SegmentTooSlow then."""
    with too_slow_said(), transaction.atomic():
        set_limits(limit_ms or WAIT_LIMIT_MS)
        yield
        unset_limits()


@contextmanager
def too_slow_said() -> Iterator[None]:
    """Raise SegmentTooSlow for a statement that took longer than it may."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise SegmentTooSlow from error
        raise


def set_limits(limit_ms: int) -> None:
    """Give the statements of this transaction so long, and memory for a set of a million people."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('work_mem', %s, true)",
            [str(limit_ms), _WORK_MEM],
        )


def unset_limits() -> None:
    """Give the further statements of this transaction what they have without ``set_limits``."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT; SET LOCAL work_mem TO DEFAULT")
