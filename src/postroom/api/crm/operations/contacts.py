"""People: listed, looked up, stored and changed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from ninja import Query, Router
from ninja.responses import Status

from postroom.api.crm.auth import Room, WorkspaceHeader, WorkspaceQuery, enter
from postroom.api.crm.ids import read_id
from postroom.api.crm.schemas import contacts as schemas
from postroom.api.crm.schemas.shared import BAD_REQUEST, CONFLICT, MAY_NOT, NOT_FOUND
from postroom.api.shared.auth import KeyRequest
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.types import ConsentState, ContactChanges, ContactOrder, NewContact, Wishes
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.paging import PageRequest
from postroom.kit.types import UNSET, Unset

if TYPE_CHECKING:
    from postroom.core.contacts.models import Contact

router: Final = Router(tags=["Contacts"], by_alias=True)

WORDS: Final[Mapping[ConsentState, schemas.Word]] = {
    ConsentState.GRANTED: "subscribed",
    ConsentState.WITHDRAWN: "unsubscribed",
}
STATES: Final = {word: state for state, word in WORDS.items()}

COLUMNS: Final[Mapping[str, Literal["created_at", "email", "first_name", "last_name"]]] = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "createdAt": "created_at",
}


@router.get("/contacts", operation_id="listContacts", response={200: schemas.ContactList, **MAY_NOT})
def list_contacts(
    request: KeyRequest,
    listing: Annotated[schemas.Listing, Query(...)],
    x_workspace_id: WorkspaceHeader,
    workspace_id: WorkspaceQuery,
) -> schemas.ContactList:
    """Page through the people of the active workspace."""
    room = enter(request, Role.MEMBER, x_workspace_id, workspace_id)
    found = contacts.list_contacts(
        workspace=room.workspace,
        search=listing.search,
        page=PageRequest(number=listing.page, size=listing.page_size, with_total=True),
        order=ContactOrder(by=COLUMNS.get(listing.sort_by, "created_at"), is_ascending=listing.sort_order == "asc"),
    )
    said = contacts.load_consents(workspace=room.workspace, contact_ids=[contact.pk for contact in found.items])
    items = [
        schemas.ContactListItem(**_fields(room, contact, said.get(contact.pk, {})), tags=_tags(contact))
        for contact in found.items
    ]
    return schemas.ContactList(contacts=items, total=found.total or 0, page=found.number, page_size=found.size)


@router.post(
    "/contacts",
    operation_id="createContact",
    response={
        200: schemas.Contact,
        201: schemas.Contact,
        **BAD_REQUEST,
        **MAY_NOT,
        409: schemas.DuplicateContactError,
    },
)
def create_contact(
    request: KeyRequest, contact: schemas.CreateContactInput, x_workspace_id: WorkspaceHeader
) -> Status[schemas.Contact]:
    """Store a person and link them to the active workspace, or only link whom the organization knows."""
    room = enter(request, Role.MEMBER, x_workspace_id)
    new = NewContact(
        email=contact.email, first_name=contact.first_name, last_name=contact.last_name, custom=contact.custom_fields
    )
    now = clock.now()
    if contact.add_to_workspace:
        known, is_new = services.add_contact(workspace=room.workspace, new=new, actor=room.actor, now=now)
        return Status(201 if is_new else 200, _show(room, known))
    stored = services.create_contact(workspace=room.workspace, new=new, actor=room.actor, now=now, links_known=False)
    return Status(201, _show(room, stored))


@router.get("/contacts/{id}", operation_id="getContact", response={200: schemas.Contact, **MAY_NOT, **NOT_FOUND})
def get_contact(request: KeyRequest, id: str, x_workspace_id: WorkspaceHeader) -> schemas.Contact:
    """Read one person."""
    room = enter(request, Role.VIEWER, x_workspace_id)
    return _show(room, contacts.get_contact(workspace=room.workspace, uid=read_id(id)))


@router.put(
    "/contacts/{id}",
    operation_id="updateContact",
    response={200: schemas.Contact, **BAD_REQUEST, **MAY_NOT, **NOT_FOUND, **CONFLICT},
)
def update_contact(
    request: KeyRequest, id: str, contact: schemas.UpdateContactInput, x_workspace_id: WorkspaceHeader
) -> schemas.Contact:
    """Change a person; what the body leaves out stays."""
    room = enter(request, Role.MEMBER, x_workspace_id)
    stored = services.revise_contact(
        workspace=room.workspace,
        uid=read_id(id),
        changes=_changes(contact),
        wishes=_wishes(room, contact),
        actor=room.actor,
        now=clock.now(),
    )
    return _show(room, stored)


def _changes(contact: schemas.UpdateContactInput) -> ContactChanges:
    said = contact.model_fields_set
    return ContactChanges(
        email=contact.email if "email" in said else UNSET,
        first_name=contact.first_name if "first_name" in said else UNSET,
        last_name=contact.last_name if "last_name" in said else UNSET,
        language=contact.language if "language" in said else UNSET,
        custom=contact.custom_fields if "custom_fields" in said else UNSET,
        replaces_custom=True,
    )


def _wishes(room: Room, contact: schemas.UpdateContactInput) -> Wishes:
    said = contact.model_fields_set
    consents: dict[str, ConsentState] | Unset = UNSET
    if "communication_preferences" in said:
        words = contact.communication_preferences.items()
        consents = {_slug(room, key): STATES[word] for key, word in words}
    return Wishes(
        is_opted_out=contact.globally_unsubscribed if "globally_unsubscribed" in said else UNSET, consents=consents
    )


def _slug(room: Room, key: str) -> str:
    """Return the category a key names: ``<workspace>:<category>``, or the category alone, as of old."""
    workspace, separator, slug = key.rpartition(":")
    if separator and workspace != str(room.workspace.uid):
        raise BadValue(f"communicationPreferences: {key!r} is no category of the active workspace.")
    return slug


def _show(room: Room, contact: "Contact") -> schemas.Contact:
    said = contacts.load_consents(workspace=room.workspace, contact_ids=[contact.pk])
    return schemas.Contact(**_fields(room, contact, said.get(contact.pk, {})))


def _fields(room: Room, contact: "Contact", said: Mapping[str, ConsentState]) -> dict[str, Any]:
    return {
        "id": contact.uid,
        "email": contact.email,
        "first_name": contact.first_name or None,
        "last_name": contact.last_name or None,
        "language": contact.language or None,
        "globally_unsubscribed": contact.is_globally_opted_out,
        "created_by_workspace_id": None,
        "custom_fields": contact.custom,
        "communication_preferences": {f"{room.workspace.uid}:{slug}": WORDS[state] for slug, state in said.items()},
        "sync_configuration_id": None,
        "synced_fields": None,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
    }


def _tags(contact: "Contact") -> list[str]:
    return [link.tag.name for link in contact.tag_links.all()]
