"""Bodies of the contact book operations."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from postroom.api.shared.values import Camel, Instant
from postroom.api.usesend.schemas.values import OptionalFlag, OptionalText, StringMap, Text, not_null

OptionalMap = Annotated[
    StringMap | None,
    not_null("object"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
"""Texts by name that may be absent, then None, but are never null."""
OptionalNames = Annotated[
    list[str] | None, not_null("array"), WithJsonSchema({"type": "array", "items": {"type": "string"}})
]


class _BookTerms(Camel):
    emoji: OptionalText = None
    properties: OptionalMap = None
    variables: OptionalNames = None
    double_opt_in_enabled: OptionalFlag = None
    double_opt_in_from: str | None = None
    double_opt_in_subject: OptionalText = None
    double_opt_in_content: OptionalText = None


class ContactBookCreate(_BookTerms):
    """A contact book to make."""

    name: Text


class ContactBookUpdate(_BookTerms):
    """What changes of a contact book."""

    name: Annotated[Text | None, not_null("string"), WithJsonSchema({"type": "string", "minLength": 1})] = None


class BookCount(Camel):
    """How many people are in a contact book."""

    contacts: int


class ContactBook(Camel):
    """A contact book; its people are counted where that is asked for."""

    id: str
    name: str
    team_id: int
    properties: StringMap
    variables: list[str]
    emoji: str
    double_opt_in_enabled: bool
    double_opt_in_from: str | None
    double_opt_in_subject: str | None
    double_opt_in_content: str | None
    created_at: Instant
    updated_at: Instant
    count: Annotated[BookCount | None, Field(alias="_count")] = None


class ContactBookDeleted(Camel):
    """That a contact book is gone."""

    id: str
    success: bool
    message: str
