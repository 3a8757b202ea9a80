"""Contact books: the lists of a workspace."""

from typing import TYPE_CHECKING, Annotated, Final

from ninja import Path, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import FULL_KEY, writer_of
from postroom.api.usesend.ids import read_id, team_id, write_id
from postroom.api.usesend.schemas.contact_books import (
    BookCount,
    ContactBook,
    ContactBookCreate,
    ContactBookDeleted,
    ContactBookUpdate,
)
from postroom.api.usesend.schemas.shared import ERRORS, NOT_FOUND
from postroom.core.campaigns import services as campaigns
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.rules.books import DEFAULT_EMOJI
from postroom.core.contacts.types import BookChanges
from postroom.kit import clock

if TYPE_CHECKING:
    from postroom.core.contacts.models import List
    from postroom.core.workspaces.models import Workspace

router: Final = Router(tags=["Contact books"], by_alias=True, exclude_unset=True, auth=FULL_KEY)

BookId = Annotated[str, Path(...)]
_NO_BODY: Final = {status: error for status, error in ERRORS.items() if status != 400}
_NAMES: Final = {
    "double_opt_in_enabled": "is_double_opt_in",
    "double_opt_in_from": "confirm_from",
    "double_opt_in_subject": "confirm_subject",
    "double_opt_in_content": "confirm_document",
}


@router.get("/contactBooks", operation_id="listContactBooks", response={200: list[ContactBook], **_NO_BODY})
def list_contact_books(request: KeyRequest) -> list[ContactBook]:
    """Return all contact books, each with how many people are in it."""
    workspace = request.auth.workspace
    return [_show(one, workspace, count) for one, count in contacts.list_books(workspace=workspace)]


@router.post("/contactBooks", operation_id="createContactBook", response={200: ContactBook, **ERRORS})
def create_contact_book(request: KeyRequest, book: ContactBookCreate) -> ContactBook:
    """Make a contact book, with double opt-in unless it says otherwise."""
    identity = writer_of(request)
    made = services.create_book(
        workspace=identity.workspace, changes=_read(book), actor=identity.actor, now=clock.now()
    )
    return _show(made, identity.workspace)


@router.get(
    "/contactBooks/{contactBookId}", operation_id="getContactBook", response={200: ContactBook, **_NO_BODY, **NOT_FOUND}
)
def get_contact_book(request: KeyRequest, contactBookId: BookId) -> ContactBook:
    """Look a contact book up."""
    workspace = request.auth.workspace
    found = contacts.get_list_by_uid(workspace=workspace, uid=read_id(contactBookId))
    return _show(found, workspace, contacts.count_book(list_=found))


@router.patch(
    "/contactBooks/{contactBookId}",
    operation_id="updateContactBook",
    response={200: ContactBook, **ERRORS, **NOT_FOUND},
)
def update_contact_book(request: KeyRequest, contactBookId: BookId, book: ContactBookUpdate) -> ContactBook:
    """Change what is given of a contact book."""
    identity = writer_of(request)
    changed = services.change_book(
        workspace=identity.workspace,
        uid=read_id(contactBookId),
        changes=_read(book),
        actor=identity.actor,
        now=clock.now(),
    )
    return _show(changed, identity.workspace)


@router.delete(
    "/contactBooks/{contactBookId}",
    operation_id="deleteContactBook",
    response={200: ContactBookDeleted, **_NO_BODY, **NOT_FOUND},
)
def delete_contact_book(request: KeyRequest, contactBookId: BookId) -> ContactBookDeleted:
    """Forget a contact book and who is in it."""
    identity = writer_of(request)
    list_ = contacts.get_list_by_uid(workspace=identity.workspace, uid=read_id(contactBookId))
    campaigns.delete_list(workspace=identity.workspace, list_id=list_.pk, actor=identity.actor, now=clock.now())
    return ContactBookDeleted(id=contactBookId, success=True, message="Contact book deleted successfully")


def _read(book: ContactBookCreate | ContactBookUpdate) -> BookChanges:
    said = {_NAMES.get(name, name): getattr(book, name) for name in book.model_fields_set}
    if "confirm_from" in said:
        said["confirm_from"] = (said["confirm_from"] or "").strip()
    if "variables" in said:
        said["variables"] = tuple(said["variables"])
    return BookChanges(**said)


def _show(list_: "List", workspace: "Workspace", count: int | None = None) -> ContactBook:
    counted = {} if count is None else {"count": BookCount(contacts=count)}
    return ContactBook(
        id=write_id(list_.uid),
        name=list_.name,
        team_id=team_id(workspace),
        properties=list_.properties,
        variables=list_.variables,
        emoji=list_.emoji or DEFAULT_EMOJI,
        double_opt_in_enabled=list_.is_double_opt_in,
        double_opt_in_from=list_.confirm_from or None,
        double_opt_in_subject=list_.confirm_subject or None,
        double_opt_in_content=list_.confirm_document or None,
        created_at=list_.created_at,
        updated_at=list_.updated_at or list_.created_at,
        **counted,
    )
