"""Reads of segments: who matches a filter. One statement each, fenced by the workspace's links."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models.expressions import RawSQL
from psycopg.errors import QueryCanceled

from postroom.core.contacts import rules
from postroom.core.contacts.errors import NoSuchSegment, SegmentTooSlow
from postroom.core.contacts.models import Segment
from postroom.core.contacts.rules import Room, Sql
from postroom.core.contacts.selectors.fields import list_field_specs
from postroom.core.contacts.types import SegmentPreview
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue

PREVIEW_TIMEOUT_MS: Final = 5_000
SAMPLE_SIZE: Final = 10

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


def segment_sql(*, workspace: Workspace, filter_: JSONValue) -> Sql:
    """Return a filter as a boolean expression over ``c``. Raises BadFilter."""
    parsed = rules.parse_filter(filter_, list_field_specs(workspace=workspace))
    return rules.compile_filter(parsed, Room(workspace.pk, workspace.timezone))


def people_sql(*, workspace: Workspace, filter_: JSONValue) -> Sql:
    """Return ``FROM …`` of the people of a workspace who match a filter. Raises BadFilter."""
    narrowed = segment_sql(workspace=workspace, filter_=filter_)
    return Sql(f"{PEOPLE} AND {narrowed.text}", (workspace.pk, workspace.organization_id, *narrowed.params))


def matching_ids(*, workspace: Workspace, filter_: JSONValue) -> RawSQL:
    """Return the matching people's keys as a sub-query for other reads. Raises BadFilter."""
    people = people_sql(workspace=workspace, filter_=filter_)
    return RawSQL(f"SELECT c.id FROM {people.text}", people.params)  # noqa: S608 - all that a user wrote is a parameter


def preview_segment(*, workspace: Workspace, filter: JSONValue) -> SegmentPreview:
    """Return how many match and the newest few, in at most five seconds. Raises BadFilter, SegmentTooSlow."""
    people = people_sql(workspace=workspace, filter_=filter)
    with _time_limit() as cursor:
        cursor.execute(f"SELECT count(*) FROM {people.text}", people.params)  # noqa: S608 - as above
        (count,) = cursor.fetchone()
        cursor.execute(
            "SELECT c.id, COALESCE(c.email, ''), TRIM(c.first_name || ' ' || c.last_name)"  # noqa: S608 - as above
            f" FROM {people.text} ORDER BY c.id DESC LIMIT %s",
            (*people.params, SAMPLE_SIZE),
        )
        return SegmentPreview(count=count, sample=tuple(cursor.fetchall()))


@contextmanager
def _time_limit() -> Iterator[Any]:
    """Yield a cursor whose statements end after ``PREVIEW_TIMEOUT_MS``."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PREVIEW_TIMEOUT_MS)])
            yield cursor
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise SegmentTooSlow from error
        raise
