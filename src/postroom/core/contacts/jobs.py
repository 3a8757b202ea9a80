"""The jobs of the contacts app, and how to defer them."""

from typing import Final
from uuid import UUID

from postroom.kit import jobs

RUN_EXPORT: Final = jobs.Job("contacts.run_export", queue="imports")
RUN_IMPORT: Final = jobs.Job("contacts.run_import", queue="imports")


def defer_run_import(*, run_uid: UUID) -> None:
    """Have an import run once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_IMPORT, lock=f"contacts.import.{run_uid}", run_uid=str(run_uid))


def defer_run_export(*, run_uid: UUID) -> None:
    """Have an export run once the caller's transaction commits; one run of it at a time."""
    jobs.defer(RUN_EXPORT, lock=f"contacts.export.{run_uid}", run_uid=str(run_uid))
