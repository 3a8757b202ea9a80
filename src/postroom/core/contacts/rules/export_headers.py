"""The columns of an exported file, named so that an import knows them again, custom fields with their type."""

from typing import Final

from postroom.core.contacts.types import FieldType, NewField

CORE_HEADERS: Final = ("email", "first_name", "last_name", "company", "phone", "language", "timezone")
STATE_HEADERS: Final = (
    "tags",
    "lists",
    "consents",
    "status",
    "opted_out",
    "suppressed",
    "suppression_detail",
    "accounts",
    "created_at",
)
_PREFIX: Final = "custom."


def custom_header(key: str, type_: FieldType) -> str:
    """Return the header of a custom field, ``custom.age:number``: its type tells the text "5" from the number."""
    return f"{_PREFIX}{key}:{type_.value}"


def read_custom_header(header: str) -> NewField | None:
    """Return the field that a header of ours names, None for any other header; without a type it is a text."""
    if not header.startswith(_PREFIX):
        return None
    key, _, type_ = header.removeprefix(_PREFIX).rpartition(":") if ":" in header else (header[len(_PREFIX) :], "", "")
    if not key or (type_ and type_ not in FieldType.values):
        return None
    return NewField(label=key, key=key, type=FieldType(type_ or FieldType.TEXT))
