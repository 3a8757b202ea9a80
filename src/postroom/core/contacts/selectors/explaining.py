"""Reads of why a person is in a segment, or out of it: every condition answered by the very SQL that selects people."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection

from postroom.core.contacts import rules
from postroom.core.contacts.rules.filter_language import Condition, Group
from postroom.core.contacts.rules.filter_sql import compile_part
from postroom.core.contacts.rules.filter_values import value_sql
from postroom.core.contacts.selectors.filter_names import load_room
from postroom.core.contacts.selectors.people import get_contact
from postroom.core.contacts.selectors.segments import PEOPLE, parse_segment, segment_time_limit
from postroom.core.contacts.types import Explanation, Sql
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONObject, JSONValue


def explain_membership(*, workspace: Workspace, filter: JSONObject, contact_uid: UUID, now: datetime) -> Explanation:
    """Return for each part of a filter whether it holds for one person, with what is known of them, in one statement.

    Raises NoSuchContact, BadFilter, SegmentTooSlow.
    """
    contact = get_contact(workspace=workspace, uid=contact_uid)
    parsed = parse_segment(workspace=workspace, filter_=filter)
    room = load_room(workspace=workspace, filter_=parsed, now=now)
    answers = [answer for part in _walk(parsed) for answer in _questions(part, room)]
    columns = ", ".join(answer.text for answer in answers)
    params = tuple(param for answer in answers for param in answer.params)
    with segment_time_limit(), connection.cursor() as cursor:
        people = (workspace.pk, workspace.organization_id, contact.pk)
        cursor.execute(f"SELECT {columns} FROM {PEOPLE} AND c.id = %s", (*params, *people))  # noqa: S608 - parameters
        row = cursor.fetchone()
    return _tell(filter, parsed, iter(row))


def _walk(part: Condition | Group) -> Iterator[Condition | Group]:
    yield part
    if isinstance(part, Group):
        for inner in part.parts:
            yield from _walk(inner)


def _questions(part: Condition | Group, room: rules.Room) -> tuple[Sql, ...]:
    holds = compile_part(part, room)
    asked = Sql(f"({holds.text}) IS TRUE", holds.params)
    return (asked,) if isinstance(part, Group) else (asked, value_sql(part, room))


def _tell(raw: JSONValue, part: Condition | Group, answers: Iterator[JSONValue]) -> Explanation:
    """Read the answers in the order of the questions."""
    holds = bool(next(answers))
    said: JSONObject = raw if isinstance(raw, dict) else {}
    if not isinstance(part, Group):
        return Explanation(holds=holds, condition=said, value=next(answers))
    inner = said.get("conditions")
    pairs = zip(inner if isinstance(inner, list) else [], part.parts, strict=True)
    parts = tuple(_tell(one, parsed, answers) for one, parsed in pairs)
    return Explanation(holds=holds, match="all" if part.matches_all else "any", parts=parts)
