"""Reads of what segments ask about, for whoever wants to delete or rename it."""

from collections.abc import Iterator

from postroom.core.contacts.models import Segment
from postroom.core.contacts.selectors.lists import get_list
from postroom.core.workspaces.models import Workspace
from postroom.kit.types import JSONObject, JSONValue


def segments_using_field(*, workspace: Workspace, key: str) -> list[Segment]:
    """Return the segments of every workspace of the organization that ask about a custom field, by name."""
    segments = Segment.objects.filter(workspace__organization_id=workspace.organization_id)
    return [one for one in segments.order_by("name", "pk") if {key, f"custom.{key}"} & _fields(one)]


def segments_using_list(*, workspace: Workspace, list_id: int, by_name: bool = False) -> list[Segment]:
    """Return the workspace's segments that name a list; ``by_name``: those that a new name would mislead.

    Raises NoSuchList.
    """
    list_ = get_list(workspace=workspace, list_id=list_id)
    return _naming(workspace, frozenset({"list"}), {list_.name.lower()} | ({str(list_.uid)} if not by_name else set()))


def segments_using_category(*, workspace: Workspace, slug: str) -> list[Segment]:
    """Return the workspace's segments that ask for consent to a category."""
    return _naming(workspace, frozenset({"person.consent"}), {slug.lower()})


def _naming(workspace: Workspace, fields: frozenset[str], names: set[str]) -> list[Segment]:
    segments = Segment.objects.filter(workspace=workspace).order_by("name", "pk")
    return [one for one in segments if any(_names(part, fields) & names for part in _conditions(one.filter))]


def _fields(segment: Segment) -> set[str]:
    return {str(part.get("field")) for part in _conditions(segment.filter)}


def _names(part: JSONObject, fields: frozenset[str]) -> set[str]:
    value = part.get("value") if part.get("field") in fields else None
    named = value if isinstance(value, list) else [value]
    return {str(one).lower() for one in named if one is not None}


def _conditions(part: JSONValue) -> Iterator[JSONObject]:
    if isinstance(part, dict):
        inner = part.get("conditions")
        if isinstance(inner, list):
            for one in inner:
                yield from _conditions(one)
        else:
            yield part
