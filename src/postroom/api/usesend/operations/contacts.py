"""Contacts: the people in contact books, one by one or up to a thousand at once."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from ninja import Body, Path, Query, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import FULL_KEY, writer_of
from postroom.api.usesend.ids import read_id, write_id
from postroom.api.usesend.schemas.contacts import (
    BulkDelete,
    BulkDeleted,
    BulkQueued,
    Contact,
    ContactIdResult,
    ContactUpdate,
    ContactWrite,
    SuccessResult,
)
from postroom.api.usesend.schemas.shared import ERRORS, NOT_FOUND
from postroom.api.usesend.schemas.values import QueryText, at_most, number_text
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.types import BookContactChanges, BookEntry
from postroom.kit import clock
from postroom.kit.types import UNSET

if TYPE_CHECKING:
    from uuid import UUID

    from postroom.core.contacts.types import BookContact

router: Final = Router(tags=["Contacts"], by_alias=True, auth=FULL_KEY)

MAX_BULK: Final = 1_000
TOO_MANY: Final = f"Array must contain at most {MAX_BULK} element(s)"
_PATH: Final = "/contactBooks/{contactBookId}/contacts"
_ONE: Final = _PATH + "/{contactId}"
_NO_BODY: Final = {status: error for status, error in ERRORS.items() if status != 400}

BookId = Annotated[str, Path(...)]
CheckedBookId = Annotated[str, Path(..., min_length=3)]
ContactId = Annotated[str, Path(...)]
CheckedContactId = Annotated[str, Path(..., min_length=3)]
Words = Annotated[QueryText | None, Query(None)]
PageNumber = Annotated[int, number_text(), Query(1)]
PageSize = Annotated[int, number_text(), Query(contacts.MAX_BOOK_PAGE)]


# Before the operations on one contact, for "bulk" would be the id of one.
@router.post(f"{_PATH}/bulk", operation_id="bulkCreateContacts", response={200: BulkQueued, **ERRORS, **NOT_FOUND})
def bulk_create_contacts(
    request: KeyRequest,
    contactBookId: CheckedBookId,
    entries: Annotated[list[ContactWrite], at_most(MAX_BULK, TOO_MANY), Body(...)],
) -> BulkQueued:
    """Add or update up to a thousand contacts, all or none."""
    count = len(_put(request, contactBookId, entries))
    return BulkQueued(message=f"Queued {count} contacts for processing", count=count)


@router.delete(f"{_PATH}/bulk", operation_id="bulkDeleteContacts", response={200: BulkDeleted, **ERRORS, **NOT_FOUND})
def bulk_delete_contacts(request: KeyRequest, contactBookId: CheckedBookId, which: BulkDelete) -> BulkDeleted:
    """Take contacts out of a book; ids that are not in it are skipped."""
    return BulkDeleted(success=True, count=_remove(request, contactBookId, which.contact_ids))


@router.post(_PATH, operation_id="createContact", response={200: ContactIdResult, **ERRORS, **NOT_FOUND})
def create_contact(request: KeyRequest, contactBookId: CheckedBookId, contact: ContactWrite) -> ContactIdResult:
    """Add a contact, or update the one with this address."""
    (uid,) = _put(request, contactBookId, [contact])
    return ContactIdResult(contact_id=write_id(uid))


@router.get(_PATH, operation_id="listContacts", response={200: list[Contact], **ERRORS, **NOT_FOUND})
def list_contacts(
    request: KeyRequest,
    contactBookId: BookId,
    emails: Words,
    page: PageNumber,
    limit: PageSize,
    ids: Words,
) -> list[Contact]:
    """Return the contacts of a book; filters combine."""
    found = contacts.list_book_contacts(
        workspace=request.auth.workspace,
        list_uid=read_id(contactBookId),
        emails=emails.split(",") if emails else None,
        uids=[read_id(one.strip()) for one in ids.split(",")] if ids else None,
        number=page,
        size=limit,
    )
    return [_show(one, contactBookId) for one in found]


@router.patch(_ONE, operation_id="updateContact", response={200: ContactIdResult, **ERRORS, **NOT_FOUND})
def update_contact(
    request: KeyRequest, contactBookId: BookId, contactId: ContactId, contact: ContactUpdate
) -> ContactIdResult:
    """Change what is given of a contact."""
    identity = writer_of(request)
    uid = services.change_book_contact(
        workspace=identity.workspace,
        list_uid=read_id(contactBookId),
        uid=read_id(contactId),
        changes=BookContactChanges(**_said(contact)),
        actor=identity.actor,
        now=clock.now(),
    )
    return ContactIdResult(contact_id=write_id(uid))


@router.get(_ONE, operation_id="getContact", response={200: Contact, **_NO_BODY, **NOT_FOUND})
def get_contact(request: KeyRequest, contactBookId: BookId, contactId: ContactId) -> Contact:
    """Look a contact up."""
    found = contacts.get_book_contact(
        workspace=request.auth.workspace, list_uid=read_id(contactBookId), uid=read_id(contactId)
    )
    return _show(found, contactBookId)


@router.put(_ONE, operation_id="upsertContact", response={200: ContactIdResult, **ERRORS, **NOT_FOUND})
def upsert_contact(
    request: KeyRequest, contactBookId: CheckedBookId, contactId: CheckedContactId, contact: ContactWrite
) -> ContactIdResult:
    """Add a contact, or update the one with this address; the id is not looked at."""
    (uid,) = _put(request, contactBookId, [contact])
    return ContactIdResult(contact_id=write_id(uid))


@router.delete(_ONE, operation_id="deleteContact", response={200: SuccessResult, **_NO_BODY, **NOT_FOUND})
def delete_contact(request: KeyRequest, contactBookId: BookId, contactId: ContactId) -> SuccessResult:
    """Take a contact out of a book."""
    if not _remove(request, contactBookId, [contactId]):
        raise NoSuchContact(uid=read_id(contactId))
    return SuccessResult(success=True)


def _put(request: KeyRequest, book_id: str, contacts_: list[ContactWrite]) -> "list[UUID]":
    identity = writer_of(request)
    return services.put_book_contacts(
        workspace=identity.workspace,
        list_uid=read_id(book_id),
        entries=[BookEntry(email=one.email, **_said(one)) for one in contacts_],
        actor=identity.actor,
        now=clock.now(),
    )


def _remove(request: KeyRequest, book_id: str, ids: list[str]) -> int:
    identity = writer_of(request)
    return services.remove_book_contacts(
        workspace=identity.workspace,
        list_uid=read_id(book_id),
        uids=[read_id(one) for one in ids],
        actor=identity.actor,
        now=clock.now(),
    )


def _said(contact: ContactUpdate) -> dict[str, Any]:
    """Return what is said of a contact in the words of the core; what is not said keeps the core's own default."""
    names = contact.model_fields_set & {"first_name", "last_name", "properties"}
    said = {name: getattr(contact, name) for name in names}
    return {**said, "is_subscribed": UNSET if contact.subscribed is None else contact.subscribed}


def _show(one: "BookContact", book_id: str) -> Contact:
    # The values are the core's own: of five thousand, checking each once more would be half of the answer's time.
    return Contact.model_construct(
        id=write_id(one.uid),
        first_name=one.first_name or None,
        last_name=one.last_name or None,
        email=one.email,
        subscribed=one.is_subscribed,
        properties=dict(one.properties),
        contact_book_id=book_id,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )
