"""People's own requests: a link to their address, good once and for a week, gives their data or has it erased."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadAddress, NoSuchPrivacyLink
from postroom.core.contacts.models import PrivacyRequest
from postroom.core.contacts.selectors.people import get_contact
from postroom.core.contacts.selectors.preferences import find_reader
from postroom.core.contacts.selectors.privacy import PURPOSE, check_usable, find_privacy_request, hash_token
from postroom.core.contacts.services.erasure import erase_contact
from postroom.core.contacts.types import PrivacyRequestKind, PrivacyRequestStatus
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord, Door
from postroom.kit.ids import uuid7
from postroom.kit.tokens import make_token

LINK_FOR: Final = timedelta(days=7)
UNUSED_KEPT_FOR: Final = timedelta(days=30)
PROOF_KEPT_FOR: Final = timedelta(days=3 * 365)
_READER: Final = Actor(door=Door.EDGE)


@transaction.atomic
def ask_privacy_link(*, workspace: Workspace, email: str, kind: PrivacyRequestKind, now: datetime) -> None:
    """Have a link sent to an address by which its owner gets their data or has it erased, if they are known here.

    Writes the same for an address that nobody knows, so that neither answer nor time tells who is known.
    """
    try:
        address = rules.normalise_email(email)
    except BadAddress:
        address = ""
    uid = uuid7()
    request = PrivacyRequest.objects.create(
        uid=uid,
        workspace=workspace,
        contact_id=find_reader(workspace=workspace, email=address),
        kind=kind,
        token_hash=hash_token(make_token(PURPOSE, uid.bytes)),
        door=Door.EDGE,
        created_at=now,
        expires_at=now + LINK_FOR,
    )
    event = NewEvent("privacy.link_wanted", "privacy_request", request.pk, contact_id=request.contact_id)
    events.record_event(workspace=workspace, event=event, now=now)


@transaction.atomic
def take_data(*, token: str, now: datetime) -> PrivacyRequest:
    """Use a link for its person's data; return the request. Raises NoSuchPrivacyLink or PrivacyLinkGone."""
    request = _use(token, PrivacyRequestKind.EXPORT, now)
    request.status, request.finished_at = PrivacyRequestStatus.DONE, now
    request.save(update_fields=["status", "used_at", "finished_at"])
    act = AuditRecord("contact.data_exported", "contact", request.contact_id)
    events.record_act(workspace=request.workspace, actor=_READER, act=act, now=now, contact_id=request.contact_id)
    return request


@transaction.atomic
def erase_by_link(*, token: str, now: datetime) -> PrivacyRequest:
    """Use a link to erase its person. Raises NoSuchPrivacyLink or PrivacyLinkGone."""
    request = _use(token, PrivacyRequestKind.ERASURE, now)
    request.status = PrivacyRequestStatus.USED
    request.save(update_fields=["status", "used_at"])
    assert request.contact is not None  # check_usable saw to it
    erase_contact(workspace=request.workspace, uid=request.contact.uid, actor=_READER, now=now)
    return request


@transaction.atomic
def note_data_export(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Write down that a member took out everything known of a person. Raises NoSuchContact."""
    contact = get_contact(workspace=workspace, uid=uid)
    act = AuditRecord("contact.data_exported", "contact", contact.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk)


def forget_privacy_requests(*, now: datetime) -> None:
    """Delete requests whose link nobody used, and much later the proof of those that were met. Safe to repeat."""
    PrivacyRequest.objects.filter(used_at=None, expires_at__lte=now - UNUSED_KEPT_FOR).delete()
    PrivacyRequest.objects.filter(used_at__lte=now - PROOF_KEPT_FOR).delete()


def _use(token: str, kind: PrivacyRequestKind, now: datetime) -> PrivacyRequest:
    """Return the locked request, marked as used: of two at once, one finds it gone."""
    found = find_privacy_request(token=token, now=now)
    if found.kind != kind:
        raise NoSuchPrivacyLink
    rows = PrivacyRequest.objects.select_for_update(of=("self",)).select_related("workspace", "contact")
    request = rows.get(pk=found.pk)
    check_usable(request, now=now)
    request.used_at = now
    return request
