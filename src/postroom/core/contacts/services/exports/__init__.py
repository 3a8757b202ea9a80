"""Exports: a job writes the chosen people to a file, which waits a week to be fetched."""

from postroom.core.contacts.services.exports.keep import cancel_export, fetch_export, forget_old_exports
from postroom.core.contacts.services.exports.run import fail_export, run_export
from postroom.core.contacts.services.exports.start import start_export

__all__ = ["cancel_export", "fail_export", "fetch_export", "forget_old_exports", "run_export", "start_export"]
