"""Selections of people as stored JSON, for work that a job does later."""

from typing import Final
from uuid import UUID

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.types import Selection
from postroom.kit.types import JSONObject, JSONValue

MAX_UIDS: Final = 10_000


def selection_json(selection: Selection) -> JSONObject:
    """Return a selection as it is stored; what it leaves open is left out."""
    stored: JSONObject = {
        "uids": [*selection.uids],
        "search": selection.search,
        "tag": selection.tag,
        "list_id": selection.list_id,
        "segment_id": selection.segment_id,
    }
    return {key: value for key, value in stored.items() if value not in ([], "", None)}


def parse_selection(stored: JSONValue) -> Selection:
    """Return a stored selection. Raises BadValue for anything else.

    What is not understood is never read as "everybody".
    """
    if not isinstance(stored, dict) or stored.keys() - {"uids", "search", "tag", "list_id", "segment_id"}:
        raise BadValue("That is not a selection of people.")
    return Selection(
        uids=_uids(stored.get("uids", [])),
        search=_text(stored.get("search", "")),
        tag=_text(stored.get("tag", "")),
        list_id=_key(stored.get("list_id")),
        segment_id=_key(stored.get("segment_id")),
    )


def _uids(value: JSONValue) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_UIDS:
        raise BadValue(f"At most {MAX_UIDS:,} people can be chosen one by one.")
    try:
        return tuple(str(UUID(str(one))) for one in value)
    except ValueError as error:
        raise BadValue("One of the chosen people has an id that is none.") from error


def _text(value: JSONValue) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise BadValue("A search or a tag is a text of at most 300 characters.")
    return value


def _key(value: JSONValue) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
        return value
    raise BadValue("A list or a segment is named by its number.")
