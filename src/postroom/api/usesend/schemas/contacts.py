"""Bodies of the contact operations."""

from typing import Annotated

from pydantic import Field

from postroom.api.shared.values import Camel, Instant
from postroom.api.usesend.schemas.contact_books import OptionalMap
from postroom.api.usesend.schemas.values import OptionalFlag, OptionalText, StringMap


class ContactUpdate(Camel):
    """What changes of a contact."""

    first_name: OptionalText = None
    last_name: OptionalText = None
    properties: OptionalMap = None
    subscribed: OptionalFlag = None


class ContactWrite(ContactUpdate):
    """A contact to add or to update, known by its address."""

    email: str


class Contact(Camel):
    """A person in a contact book."""

    id: str
    first_name: str | None
    last_name: str | None
    email: str
    subscribed: bool
    properties: StringMap
    contact_book_id: str
    created_at: Instant
    updated_at: Instant


class ContactIdResult(Camel):
    """The id of a contact."""

    contact_id: str


class SuccessResult(Camel):
    """That it is done."""

    success: bool


class BulkQueued(Camel):
    """How many contacts were taken."""

    message: str
    count: int


class BulkDelete(Camel):
    """Which contacts to take out of a book."""

    contact_ids: Annotated[list[str], Field(min_length=1, max_length=1000)]


class BulkDeleted(Camel):
    """How many contacts were taken out of a book."""

    success: bool
    count: int
