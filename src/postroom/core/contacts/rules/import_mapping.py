"""Writes an import's mapping down and reads it again."""

from postroom.core.contacts.types import ImportMapping, MemberStatus
from postroom.kit.types import JSONObject


def mapping_json(mapping: ImportMapping) -> JSONObject:
    """Return the mapping as it is stored."""
    return {
        "columns": dict(mapping.columns),
        "tags": list(mapping.tags),
        "list_id": mapping.list_id,
        "constants": dict(mapping.constants),
        "on_known": mapping.on_known,
        "list_status": mapping.list_status.value,
        "accepts_unaddressed": mapping.accepts_unaddressed,
    }


def read_mapping(stored: JSONObject) -> ImportMapping:
    """Return the mapping that was stored; what an older one does not say is as it was then."""
    known: dict[str, object] = {name: stored[name] for name in ("columns", "list_id", "constants") if name in stored}
    return ImportMapping(
        **known,  # type: ignore[arg-type]
        tags=tuple(map(str, stored.get("tags") or ())),  # type: ignore[arg-type]
        on_known="skip" if stored.get("on_known") == "skip" else "merge",
        list_status=MemberStatus(str(stored.get("list_status") or MemberStatus.SUBSCRIBED)),
        accepts_unaddressed=bool(stored.get("accepts_unaddressed")),
    )
