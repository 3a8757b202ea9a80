"""Handlers of the contacts app's jobs."""

from uuid import UUID

from postroom.core.contacts import services as contacts
from postroom.core.contacts.jobs import RUN_EXPORT, RUN_IMPORT
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


@handles(RUN_EXPORT)
def run_export(*, run_uid: str) -> None:
    """Write the file of an export; one that was cut off is started over."""
    contacts.run_export(run_uid=UUID(run_uid), clock=clock.now)


@gives_up(RUN_EXPORT)
def fail_export(*, run_uid: str, reason: str) -> None:
    """Let whoever waits for the file know that there will be none."""
    contacts.fail_export(run_uid=UUID(run_uid), reason=reason, now=clock.now())
