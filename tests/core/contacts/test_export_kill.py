"""An export whose worker is killed with -9 is made anew, whole, and leaves no half a file behind."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import override_settings

from postroom.core.contacts import services
from postroom.core.contacts.models import ExportRun
from postroom.core.contacts.types import ExportFormat, Selection
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.factories import make_workspace
from tests.processes import child_environment
from tests.senders import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PEOPLE = 40_000
CHILD = """
import sys, uuid, django
django.setup()
from postroom.core.contacts import services
from postroom.kit import clock
services.run_export(run_uid=uuid.UUID(sys.argv[1]), clock=clock.now)
"""


def insert_people(workspace: Workspace, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH person AS (
                INSERT INTO contacts_contact (uid, organization_id, email, first_name, last_name, company, phone,
                    language, timezone, custom, is_globally_opted_out, created_at, updated_at)
                SELECT gen_random_uuid(), %s, 'p' || n || '@people.example', 'P' || n, '', '', '', '', '',
                    jsonb_build_object('n', n), false, now(), now()
                FROM generate_series(1, %s) n RETURNING id)
            INSERT INTO contacts_contactworkspace (contact_id, workspace_id, status, created_at)
            SELECT id, %s, 'neutral', now() FROM person
            """,
            [workspace.organization_id, count, workspace.pk],
        )


def test_a_killed_export_is_made_anew_and_whole(tmp_path: Path) -> None:
    workspace = make_workspace()
    insert_people(workspace, PEOPLE)
    storage = tmp_path / "storage"
    run = services.start_export(
        workspace=workspace, selection=Selection(), format=ExportFormat.CSV, actor=SYSTEM, now=clock.now()
    )
    environment = child_environment() | {"POSTROOM_DATA_DIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", CHILD, str(run.uid)], env=environment) as child:
        wait_until(lambda: ExportRun.objects.get().processed_rows >= 5_000)
        child.kill()
    run.refresh_from_db()
    assert (run.status, run.file) == ("running", "")
    assert 0 < run.processed_rows < PEOPLE
    assert not [path for path in tmp_path.rglob("*.csv")]

    subprocess.run([sys.executable, "-c", CHILD, str(run.uid)], env=environment, check=True, timeout=100)
    run.refresh_from_db()
    assert (run.status, run.processed_rows, run.total_rows) == ("done", PEOPLE, PEOPLE)
    with override_settings(MEDIA_ROOT=storage), default_storage.open(run.file, "rb") as file:
        addresses = [line.partition(b",")[0] for line in file.read().splitlines()[1:]]
    assert (len(addresses), len(set(addresses))) == (PEOPLE, PEOPLE)
