"""Erasing a person: at once they are seen and mailed no more, then a job takes their data out of every table and file.

The record itself stays as an empty shell: it keeps the counts of campaigns right, and its keyed hash the opt-out.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q

from postroom.core.contacts import ports
from postroom.core.contacts.jobs import defer_erase_contact
from postroom.core.contacts.models import Contact, ContactAlias, ContactWorkspace, ExportRun, ImportRun, SuppressionRun
from postroom.core.contacts.rules.erasure import make_needles
from postroom.core.contacts.selectors.aliases import list_person_ids
from postroom.core.contacts.selectors.people import lock_contact
from postroom.core.contacts.services.scrubbing import empty_contact, scrub_contacts
from postroom.core.contacts.types import ErasedPerson, RunStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.selectors import list_former_values
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.ids import uuid7

RETRY_AFTER: Final = timedelta(seconds=20)
"""Mail on its way cannot be forgotten before its outcome is written down."""

_SUPPRESS: Final = """
INSERT INTO contacts_suppression
    (uid, scope, organization_id, workspace_id, address_hash, email, reason, detail, created_at)
VALUES (%(uid)s, 'organization', %(organization)s, NULL, %(hash)s, '', 'erased', '', %(now)s)
ON CONFLICT (address_hash, scope, organization_id, workspace_id)
DO UPDATE SET reason = 'erased', email = '', detail = ''
"""


@transaction.atomic
def erase_contact(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a person, in every workspace of the organization and for good. Raises NoSuchContact.

    When this has committed nobody sees or mails them any more; a job empties tables and files right after.
    """
    contact = lock_contact(workspace=workspace, uid=uid)
    Contact.objects.filter(pk=contact.pk).update(erased_at=now, updated_at=now)
    ContactWorkspace.objects.filter(contact=contact).delete()
    for address in _addresses(contact):
        _suppress(contact.organization_id, address, now)
    _withdraw_exports(contact.organization_id, now)
    act = AuditRecord("contact.erased", "contact", contact.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk)
    defer_erase_contact(contact_id=contact.pk)


def finish_erasure(*, contact_id: int, clock: Callable[[], datetime]) -> bool:
    """Take the data of an erased person out of every table and file. Safe to run twice, and after a kill.

    Return whether that is done; False when mail of theirs is on its way just now, or a file is being read in that may
    hold them, and the job comes back for the rest.
    """
    contact = Contact.objects.filter(pk=contact_id).exclude(erased_at=None).first()
    if contact is None:
        return True
    person = _person(contact)
    # As long as the record has its address, what a file says of the person is refused and does not make them anew.
    if _is_reading(person) or not all([scrub(person, clock()) for scrub in ports.erasure_scrubs()]):
        defer_erase_contact(contact_id=contact_id, schedule_at=clock() + RETRY_AFTER)
        return False
    scrub_contacts(person)
    empty_contact(person, now=clock())
    return True


def _is_reading(person: ErasedPerson) -> bool:
    """Whether a file of people or of suppressions is under way in the organization."""
    live = Q(workspace__organization_id=person.organization_id, status__in=(RunStatus.QUEUED, RunStatus.RUNNING))
    return ImportRun.objects.filter(live).exists() or SuppressionRun.objects.filter(live).exists()


def _person(contact: Contact) -> ErasedPerson:
    contact_ids = list_person_ids(contact=contact)
    addresses = (*_addresses(contact), *_changed_addresses(contact.organization_id, contact_ids))
    return ErasedPerson(
        organization_id=contact.organization_id,
        contact_ids=tuple(contact_ids),
        addresses=addresses,
        needles=make_needles(addresses=addresses, phone=contact.phone),
    )


def _addresses(contact: Contact) -> tuple[str, ...]:
    former = ContactAlias.objects.filter(contact=contact).exclude(email=None).values_list("email", flat=True)
    return tuple(address for address in dict.fromkeys((contact.email, *former)) if address)


def _changed_addresses(organization_id: int, contact_ids: list[int]) -> list[str]:
    """Return addresses the person once had, as the audit trail knows them, unless they are somebody else's today."""
    found = list_former_values(
        organization_id=organization_id, object_type="contact", object_ids=contact_ids, name="email"
    )
    others = Contact.objects.filter(organization_id=organization_id, email__in=found)
    return sorted(set(found) - set(others.values_list("email", flat=True)))


def _suppress(organization_id: int, address: str, now: datetime) -> None:
    values: dict[str, Any] = {
        "uid": uuid7(),
        "organization": organization_id,
        "hash": crypto.address_hash(address),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESS, values)


def _withdraw_exports(organization_id: int, now: datetime) -> None:
    """Files of people may hold this one: those that lie ready go, those under way are begun anew."""
    runs = ExportRun.objects.filter(workspace__organization_id=organization_id)
    runs.filter(status=RunStatus.RUNNING).update(status=RunStatus.QUEUED, processed_rows=0)
    ready = list(runs.exclude(file="").values_list("pk", "file"))
    reason = "The file was deleted because somebody in the workspace was erased. Make a new one."
    runs.filter(pk__in=[pk for pk, _ in ready]).update(file="", expires_at=now, error=reason)
    for _, file in ready:
        transaction.on_commit(partial(default_storage.delete, file))
