"""Imports: a file is taken in, then merged batch by batch by a job, and undone by another."""

from postroom.core.contacts.services.imports.ending import cancel_import
from postroom.core.contacts.services.imports.forgetting import (
    STAGED_FOLDER,
    STAGED_FOR,
    forget_import_errors,
    forget_served_files,
    forget_staged_uploads,
)
from postroom.core.contacts.services.imports.run import fail_import, run_import
from postroom.core.contacts.services.imports.start import start_import
from postroom.core.contacts.services.imports.undo import fail_import_undo, run_import_undo, undo_import

__all__ = [
    "STAGED_FOLDER",
    "STAGED_FOR",
    "cancel_import",
    "fail_import",
    "fail_import_undo",
    "forget_import_errors",
    "forget_served_files",
    "forget_staged_uploads",
    "run_import",
    "run_import_undo",
    "start_import",
    "undo_import",
]
