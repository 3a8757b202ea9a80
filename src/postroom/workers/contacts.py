"""Handlers of the contacts app's jobs."""

from uuid import UUID

from postroom.core.contacts import services as contacts
from postroom.core.contacts.jobs import (
    ASK_CONFIRMATIONS,
    CHANGE_TYPE,
    ERASE_CONTACT,
    MEASURE_SEGMENT,
    RUN_BULK,
    RUN_EXPORT,
    RUN_IMPORT,
    RUN_SUPPRESSION_FILE,
    UNDO_BULK,
    UNDO_IMPORT,
)
from postroom.kit import clock
from postroom.workers.registry import gives_up, handles


@handles(RUN_IMPORT)
def run_import(*, run_uid: str) -> None:
    """Bring an import to its end; it goes on where a killed worker left it."""
    contacts.run_import(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(RUN_IMPORT)
def fail_import(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the import know that it ends here."""
    contacts.fail_import(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(UNDO_IMPORT)
def undo_import(*, run_uid: str) -> None:
    """Bring the undo of an import to its end; it goes on where a killed worker left it."""
    contacts.run_import_undo(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(UNDO_IMPORT)
def fail_import_undo(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the undo know that it ends here; it can be asked for again."""
    contacts.fail_import_undo(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(RUN_EXPORT)
def run_export(*, run_uid: str) -> None:
    """Write the file of an export; one that was cut off is started over."""
    contacts.run_export(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(RUN_EXPORT)
def fail_export(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the file know that there will be none."""
    contacts.fail_export(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(RUN_BULK)
def run_bulk(*, run_uid: str) -> None:
    """Bring a bulk action to its end; it goes on where a killed worker left it."""
    contacts.run_bulk(run_uid=UUID(run_uid), clock=clock.now)


@handles(UNDO_BULK)
def undo_bulk(*, run_uid: str) -> None:
    """Bring the undo of a bulk action to its end; it goes on where a killed worker left it."""
    contacts.run_bulk_undo(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(RUN_BULK)
@gives_up(UNDO_BULK)
def fail_bulk(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for a bulk action or its undo know that it ends here."""
    contacts.fail_bulk(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(ASK_CONFIRMATIONS)
def ask_confirmations(*, list_id: int) -> None:
    """Ask everybody who waits on a list and was never asked; nobody is asked twice, however often this runs."""
    contacts.run_confirmations(list_id=list_id, clock=clock.now)


@handles(ERASE_CONTACT)
def erase_contact(*, contact_id: int) -> None:
    """Take the data of an erased person out of tables and files; safe to repeat until nothing is left."""
    contacts.finish_erasure(contact_id=contact_id, clock=clock.now)


@handles(CHANGE_TYPE)
def change_type(*, run_uid: str) -> None:
    """Give a field another type; it goes on where a killed worker left it."""
    contacts.run_type_change(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(CHANGE_TYPE)
def fail_type_change(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the new type know that it ends here."""
    contacts.fail_type_change(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(RUN_SUPPRESSION_FILE)
def run_suppression_file(*, run_uid: str) -> None:
    """Read a file of suppressions to its end; it goes on where a killed worker left it."""
    contacts.run_suppression_file(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(RUN_SUPPRESSION_FILE)
def fail_suppression_file(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the file know that it ends here."""
    contacts.fail_suppression_file(run_uid=UUID(run_uid), reason=reason, now=clock.now())


@handles(MEASURE_SEGMENT)
def measure_segment(*, segment_uid: str) -> None:
    """Count whom a segment finds."""
    contacts.measure_segment(segment_uid=UUID(segment_uid), now=clock.now())
