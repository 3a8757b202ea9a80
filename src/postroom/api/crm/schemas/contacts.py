"""Bodies of the contact operations."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from postroom.api.crm.paging import PageNumber, PageSize50
from postroom.api.crm.schemas.shared import Error
from postroom.api.shared.values import Camel, Instant


def _as_text(value: Any) -> Any:
    """Null means empty."""
    return "" if value is None else value


Line = Annotated[str, BeforeValidator(_as_text)]
Word = Literal["subscribed", "unsubscribed"]


class Contact(Camel):
    """A person, as the active workspace sees them."""

    id: UUID
    email: str | None
    first_name: str | None
    last_name: str | None
    language: str | None
    globally_unsubscribed: bool
    created_by_workspace_id: UUID | None
    custom_fields: dict[str, Any]
    communication_preferences: dict[str, Word]
    sync_configuration_id: UUID | None
    synced_fields: list[str] | None
    created_at: Instant
    updated_at: Instant


class ContactListItem(Contact):
    """A person with the names of their tags in the active workspace."""

    tags: list[str]


class ContactList(Camel):
    """A page of people."""

    contacts: list[ContactListItem]
    total: int
    page: int
    page_size: int


class Listing(Camel):
    """What to list, and how; names to sort by that there are none of count as ``createdAt``."""

    page: PageNumber = 1
    page_size: PageSize50 = 50
    search: str = ""
    sort_by: str = "createdAt"
    sort_order: str = "desc"


class CreateContactInput(Camel):
    """A person to store: an e-mail address or a name at least."""

    email: str | None = None
    first_name: Line = ""
    last_name: Line = ""
    custom_fields: dict[str, JsonValue] = {}
    add_to_workspace: bool = False

    @model_validator(mode="after")
    def need_a_name(self) -> "CreateContactInput":
        """Somebody without address and name is nobody."""
        if not any((text or "").strip() for text in (self.email, self.first_name, self.last_name)):
            raise PydanticCustomError("custom", "At least one of email, firstName and lastName is required.")
        return self


class UpdateContactInput(Camel):
    """Changes of a person; what is left out stays. The two objects replace the stored ones as a whole."""

    email: str | None = None
    first_name: Line = ""
    last_name: Line = ""
    language: Line = ""
    globally_unsubscribed: bool = False
    custom_fields: dict[str, JsonValue] = {}
    communication_preferences: dict[str, Word] = {}


class DuplicateContactError(Error):
    """The refusal of an address that is taken; ``contact_id`` names whose it is."""

    existsInNetwork: bool = False
    contactId: UUID | None = None
