"""Reads of which segments ask for a thing."""

from collections.abc import Iterator

from postroom.core.contacts.models import Segment
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONValue


def segments_using_field(*, workspace: Workspace, key: str) -> list[Segment]:
    """Return the workspace's segments, by name, that ask for the custom field ``key``."""
    names = {key, f"custom.{key}"}
    segments = Segment.objects.filter(workspace=workspace).order_by("name", "pk")
    return [segment for segment in segments if names & set(_fields(segment.filter))]


def _fields(part: JSONValue) -> Iterator[str]:
    if not isinstance(part, dict):
        return
    conditions = part.get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        yield from _fields(one)
    if isinstance(name := part.get("field"), str):
        yield name
