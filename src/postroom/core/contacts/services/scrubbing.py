"""Takes an erased person's data out of the tables and files of the contacts app."""

from datetime import datetime
from typing import IO, Any, Final, cast

from django.core.files.storage import default_storage
from django.db import connection, transaction

from postroom.core.contacts.models import (
    AccountContact,
    BulkRun,
    Consent,
    ConsentChange,
    Contact,
    ContactAlias,
    ContactTag,
    ContactWorkspace,
    ExportRun,
    Interaction,
    ListMember,
    PrivacyRequest,
    Suppression,
)
from postroom.core.contacts.types import ErasedPerson, PrivacyRequestStatus
from postroom.core.events import services as events
from postroom.core.webhooks.services import scrub_calls
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from postroom.kit.needles import file_holds, text_holds, word_patterns

_BELONGINGS: Final = (
    ContactTag,
    ListMember,
    Consent,
    ConsentChange,
    Interaction,
    AccountContact,
    ContactWorkspace,
)
_IMPORT_ERRORS: Final = """
UPDATE contacts_importrowerror SET raw = '', reason = 'The person of this row was erased.'
WHERE run_id IN (SELECT r.id FROM contacts_importrun r JOIN workspaces_workspace w ON w.id = r.workspace_id
        WHERE w.organization_id = %(organization)s)
    AND (raw ~* ANY(%(needles)s) OR reason ~* ANY(%(needles)s))
"""
_BULK_BEFORE: Final = """
UPDATE contacts_bulkchange SET before = before - %(keys)s::text[]
WHERE run_id IN (SELECT r.id FROM contacts_bulkrun r JOIN workspaces_workspace w ON w.id = r.workspace_id
        WHERE w.organization_id = %(organization)s)
    AND contact_ids && %(ids)s::bigint[] AND before ?| %(keys)s::text[]
"""
_BAD_ROWS: Final = """
UPDATE contacts_suppressionrun SET errors = '[]' WHERE errors::text ~* ANY(%(needles)s)
    AND workspace_id IN (SELECT id FROM workspaces_workspace WHERE organization_id = %(organization)s)
"""
_SAMPLES: Final = """
UPDATE contacts_typechange SET samples = '[]'
WHERE (samples::text ~* ANY(%(needles)s) OR samples::text ~* ANY(%(values)s))
    AND workspace_id IN (SELECT id FROM workspaces_workspace WHERE organization_id = %(organization)s)
"""
_NOBODY: Final = {"uids": ["00000000-0000-0000-0000-000000000000"]}
"""A selection that finds nobody: an empty one would mean everybody."""
_OWN_WORD: Final = 8


def scrub_contacts(person: ErasedPerson) -> None:
    """Delete what belongs to the person and blank what speaks of them. Safe to repeat."""
    with transaction.atomic():
        _scrub_trails(person)
        for model in _BELONGINGS:
            model.objects.filter(contact_id__in=person.contact_ids).delete()
        hashes = [crypto.address_hash(address) for address in person.addresses]
        Suppression.objects.filter(address_hash__in=hashes).exclude(email="", detail="").update(email="", detail="")
        _scrub_texts(person)
        _scrub_selections(person)
    _drop_staged_files(person)


def empty_contact(person: ErasedPerson, *, now: datetime) -> None:
    """Empty the record itself, the last that knew the address."""
    with transaction.atomic():
        ContactAlias.objects.filter(contact_id__in=person.contact_ids).delete()
        asked = PrivacyRequest.objects.filter(contact_id__in=person.contact_ids, status=PrivacyRequestStatus.USED)
        asked.update(status=PrivacyRequestStatus.DONE, finished_at=now)
        Contact.objects.filter(pk__in=person.contact_ids).update(
            email=None,
            address_hash=None,
            first_name="",
            last_name="",
            company="",
            phone="",
            language="",
            timezone="",
            custom={},
            search=None,
            updated_at=now,
        )


def _scrub_trails(person: ErasedPerson) -> None:
    notes = Interaction.objects.filter(contact_id__in=person.contact_ids).values_list("pk", flat=True)
    objects = {"contact": person.contact_ids, "interaction": tuple(notes)}
    workspaces.scrub_audit(organization_id=person.organization_id, objects=objects, needles=person.needles)
    events.scrub_events(contact_ids=person.contact_ids)
    scrub_calls(
        organization_id=person.organization_id,
        contact_ids=person.contact_ids,
        needles=word_patterns(person.needles),
    )


def _scrub_texts(person: ErasedPerson) -> None:
    """Blank rows of other things that hold the person's data: bad rows of files, what an undo would bring back."""
    values: dict[str, Any] = {
        "organization": person.organization_id,
        "needles": word_patterns(person.needles),
        "values": word_patterns(_long_values(person)),
        "ids": list(person.contact_ids),
        "keys": [str(key) for key in person.contact_ids],
    }
    with connection.cursor() as cursor:
        for statement in (_IMPORT_ERRORS, _BULK_BEFORE, _BAD_ROWS, _SAMPLES):
            cursor.execute(statement, values)


def _long_values(person: ErasedPerson) -> list[str]:
    """Return the person's own words in custom fields, as far as they are long enough to be nobody else's."""
    found = Contact.objects.filter(pk__in=person.contact_ids).values_list("custom", flat=True)
    words = (value for custom in found for value in custom.values())
    return [word for word in words if isinstance(word, str) and len(word) >= _OWN_WORD]


def _scrub_selections(person: ErasedPerson) -> None:
    """Forget that somebody looked for the person by address."""
    for model in (ExportRun, BulkRun):
        runs = model.objects.filter(workspace__organization_id=person.organization_id)
        for run_id, search in runs.exclude(selection__search=None).values_list("pk", "selection__search"):
            if text_holds(str(search), person.needles):
                model.objects.filter(pk=run_id).update(selection=_NOBODY)


def _drop_staged_files(person: ErasedPerson) -> None:
    """Delete uploads with the person in them that wait for their import; who uploaded one can do it again."""
    for workspace_id in Workspace.objects.filter(organization_id=person.organization_id).values_list("pk", flat=True):
        folder = f"staged/{workspace_id}"
        names = default_storage.listdir(folder)[1] if default_storage.exists(folder) else []
        for path in (f"{folder}/{name}" for name in names):
            if _holds(path, person):
                default_storage.delete(path)


def _holds(path: str, person: ErasedPerson) -> bool:
    with default_storage.open(path, "rb") as file:
        return file_holds(cast("IO[bytes]", file), person.needles)
