"""Writes of segments: a filter is understood before it is kept."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadFilter, BadValue, NameTaken, SegmentInUse
from postroom.core.contacts.jobs import defer_measure_segment
from postroom.core.contacts.models import Segment
from postroom.core.contacts.selectors.filter_names import find_unknown_campaigns
from postroom.core.contacts.selectors.segments import get_segment, parse_segment
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


@transaction.atomic
def create_segment(*, workspace: Workspace, name: str, filter: JSONObject, actor: Actor, now: datetime) -> Segment:
    """Keep a filter under a name, and have it counted. Raises BadFilter, BadValue for an empty name, NameTaken."""
    segment = Segment(workspace=workspace, created_at=now)
    _save(workspace, segment, name, filter, now)
    act = AuditRecord("segment.created", "segment", segment.pk, after={"name": segment.name, "filter": filter})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return segment


@transaction.atomic
def update_segment(
    *, workspace: Workspace, uid: UUID, name: str, filter: JSONObject, actor: Actor, now: datetime
) -> Segment:
    """Change a segment's name and filter; campaigns to come go by the new one.

    Raises NoSuchSegment, BadFilter, BadValue, NameTaken.
    """
    segment = get_segment(workspace=workspace, uid=uid)
    before: JSONObject = {"name": segment.name, "filter": segment.filter}
    _save(workspace, segment, name, filter, now)
    after: JSONObject = {"name": segment.name, "filter": filter}
    act = AuditRecord("segment.updated", "segment", segment.pk, before=before, after=after)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return segment


@transaction.atomic
def delete_segment(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a segment. Raises NoSuchSegment, or SegmentInUse naming the campaigns that are for it."""
    segment = get_segment(workspace=workspace, uid=uid)
    segment_id, name = segment.pk, segment.name
    try:
        with transaction.atomic():
            segment.delete()
    except ProtectedError as error:
        users = _listed(sorted(repr(str(one)) for one in error.protected_objects))
        raise SegmentInUse(f"The segment {name!r} cannot be deleted: it says who gets {users}.") from error
    act = AuditRecord("segment.deleted", "segment", segment_id, before={"name": name})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


def _listed(names: list[str], most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def _save(workspace: Workspace, segment: Segment, name: str, filter_: JSONObject, now: datetime) -> None:
    cleaned = rules.clean_line(name, label="Name")
    if not cleaned:
        raise BadValue("A segment needs a name.")
    parsed = parse_segment(workspace=workspace, filter_=filter_)
    if unknown := find_unknown_campaigns(workspace=workspace, filter_=parsed):
        raise BadFilter(f"There is no campaign {unknown[0]} in this workspace.")
    if segment.filter != filter_:
        segment.size, segment.size_note = None, ""
    segment.name, segment.filter, segment.updated_at = cleaned, filter_, now
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a segment called {cleaned!r}.") from error
    defer_measure_segment(segment_uid=segment.uid)
