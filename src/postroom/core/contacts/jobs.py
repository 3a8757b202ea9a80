"""The jobs of the contacts app, and how to defer them."""

from datetime import datetime
from typing import Final
from uuid import UUID

from postroom.kit import jobs

ASK_CONFIRMATIONS: Final = jobs.Job("contacts.ask_confirmations")
CHANGE_TYPE: Final = jobs.Job("contacts.change_type", queue="imports")
ERASE_CONTACT: Final = jobs.Job("contacts.erase_contact")
MEASURE_SEGMENT: Final = jobs.Job("contacts.measure_segment")
RUN_BULK: Final = jobs.Job("contacts.run_bulk", queue="imports")
UNDO_BULK: Final = jobs.Job("contacts.undo_bulk", queue="imports")
RUN_EXPORT: Final = jobs.Job("contacts.run_export", queue="imports")
RUN_SUPPRESSION_FILE: Final = jobs.Job("contacts.run_suppression_file", queue="imports")
RUN_IMPORT: Final = jobs.Job("contacts.run_import", queue="imports")
UNDO_IMPORT: Final = jobs.Job("contacts.undo_import", queue="imports")


def defer_run_import(*, run_uid: UUID) -> None:
    """Have an import run once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_IMPORT, lock=f"contacts.import.{run_uid}", run_uid=str(run_uid))


def defer_undo_import(*, run_uid: UUID) -> None:
    """Have an import's people deleted once the caller's transaction commits; one run of it at a time."""
    jobs.defer(UNDO_IMPORT, lock=f"contacts.import.{run_uid}", run_uid=str(run_uid))


def defer_run_export(*, run_uid: UUID) -> None:
    """Have an export run once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_EXPORT, lock=f"contacts.export.{run_uid}", run_uid=str(run_uid))


def defer_ask_confirmations(*, list_id: int) -> None:
    """Have everybody who waits on a list be asked once the caller's transaction commits; one run at a time."""
    jobs.defer(ASK_CONFIRMATIONS, lock=f"contacts.confirmations.{list_id}", list_id=list_id)


def defer_run_bulk(*, run_uid: UUID) -> None:
    """Have a bulk action run once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_BULK, lock=f"contacts.bulk.{run_uid}", run_uid=str(run_uid))


def defer_undo_bulk(*, run_uid: UUID) -> None:
    """Have a bulk action taken back once the caller's transaction commits."""
    jobs.defer(UNDO_BULK, lock=f"contacts.bulk.{run_uid}", run_uid=str(run_uid))


def defer_erase_contact(*, contact_id: int, schedule_at: datetime | None = None) -> None:
    """Have an erased person taken out of tables and files once the caller's transaction commits; one job at a time."""
    lock = f"contacts.erase.{contact_id}"
    jobs.defer(ERASE_CONTACT, lock=lock, schedule_at=schedule_at, contact_id=contact_id)


def defer_change_type(*, run_uid: UUID) -> None:
    """Have a field given another type once the caller's transaction commits; one run of it at a time."""
    jobs.defer(CHANGE_TYPE, lock=f"contacts.type.{run_uid}", run_uid=str(run_uid))


def defer_run_suppression_file(*, run_uid: UUID) -> None:
    """Have a file of suppressions read in once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_SUPPRESSION_FILE, lock=f"contacts.suppressions.{run_uid}", run_uid=str(run_uid))


def defer_measure_segment(*, segment_uid: UUID) -> None:
    """Have a segment counted once the caller's transaction commits."""
    jobs.defer(MEASURE_SEGMENT, lock=f"contacts.segment.{segment_uid}", segment_uid=str(segment_uid))
