"""Imports: a file is taken in, then merged batch by batch by a job."""

from postroom.core.contacts.services.imports.ending import cancel_import
from postroom.core.contacts.services.imports.run import fail_import, run_import
from postroom.core.contacts.services.imports.start import start_import

__all__ = ["cancel_import", "fail_import", "run_import", "start_import"]
