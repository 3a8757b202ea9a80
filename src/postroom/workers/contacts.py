"""Handlers of the contacts app's jobs."""

from uuid import UUID

from postroom.core.contacts import services as contacts
from postroom.core.contacts.jobs import RUN_IMPORT
from postroom.kit import clock
from postroom.workers.registry import handles


@handles(RUN_IMPORT)
def run_import(*, run_uid: str) -> None:
    """Bring an import to its end; it goes on where a killed worker left it."""
    contacts.run_import(run_uid=UUID(run_uid), clock=clock.now)
