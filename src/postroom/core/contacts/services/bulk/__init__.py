"""Bulk actions: one change to many people, by a job, batch by batch, taken back where that can be."""

from postroom.core.contacts.services.bulk.finish import cancel_bulk, fail_bulk
from postroom.core.contacts.services.bulk.keep import forget_old_bulk
from postroom.core.contacts.services.bulk.run import run_bulk
from postroom.core.contacts.services.bulk.start import start_bulk
from postroom.core.contacts.services.bulk.undo import run_bulk_undo, undo_bulk

__all__ = ["cancel_bulk", "fail_bulk", "forget_old_bulk", "run_bulk", "run_bulk_undo", "start_bulk", "undo_bulk"]
