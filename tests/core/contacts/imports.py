"""Imports of tests: a text as a file, taken in and run to its end."""

import io
from datetime import datetime

from postroom.core.contacts import services
from postroom.core.contacts.models import ImportRun
from postroom.core.contacts.types import ImportMapping, Upload
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_actor


def start_import(workspace: Workspace, text: str, mapping: ImportMapping) -> ImportRun:
    """Take a file in."""
    upload = Upload(io.BytesIO(text.encode()), "people.csv")
    return services.start_import(workspace=workspace, upload=upload, mapping=mapping, actor=make_actor(), now=NOW)


def finish_import(started: ImportRun, now: datetime = NOW) -> ImportRun:
    """Run an import to its end; every row of it is counted once."""
    services.run_import(run_uid=started.uid, clock=lambda: now)
    started.refresh_from_db()
    counted = started.created_rows + started.updated_rows + started.skipped_rows + started.error_rows
    assert started.processed_rows == counted
    return started


def import_text(workspace: Workspace, text: str, mapping: ImportMapping) -> ImportRun:
    """Import a text as a CSV file."""
    return finish_import(start_import(workspace, text, mapping))
