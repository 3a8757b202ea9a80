"""What imports leave behind goes after its time, and not before."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django import Settings

from postroom.core.contacts import services
from postroom.core.contacts.models import ImportRowError, ImportRun
from postroom.kit import clock
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db


def test_an_upload_that_nobody_went_on_with_goes_after_a_day(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    assert services.forget_staged_uploads(now=clock.now()) == 0
    for name in ("staged/1/a.csv", "staged/2/b.csv", "imports/c.csv"):
        default_storage.save(name, ContentFile(b"Email\n"))
    now = clock.now()
    assert services.forget_staged_uploads(now=now + timedelta(hours=23)) == 0
    assert services.forget_staged_uploads(now=now + timedelta(hours=25)) == 2
    assert [path.name for path in tmp_path.rglob("*.csv")] == ["c.csv"]


def test_refused_rows_go_ninety_days_after_the_import_ended() -> None:
    runs = [
        ImportRun.objects.create(
            workspace=make_workspace(), filename="a.csv", file_size=1, created_at=NOW, finished_at=finished_at
        )
        for finished_at in (NOW, NOW + timedelta(days=2), None)
    ]
    for run in runs:
        ImportRowError.objects.create(run=run, row_number=1, reason="No.", raw="nobody")
    assert services.forget_import_errors(now=NOW + timedelta(days=89)) == 0
    assert services.forget_import_errors(now=NOW + timedelta(days=91)) == 1
    assert set(ImportRowError.objects.values_list("run_id", flat=True)) == {runs[1].pk, runs[2].pk}


def test_files_that_a_crash_left_behind_go_and_those_still_needed_stay(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    later = clock.now() + timedelta(hours=2)
    assert services.forget_served_files(now=later) == 0
    for name in (
        "imports/done.csv",
        "imports/live.csv",
        "imports/nobodys.csv",
        "suppressions/done.csv",
        "exports/a.csv",
    ):
        default_storage.save(name, ContentFile(b"Email\n"))
    for status in ("done", "running"):
        ImportRun.objects.create(
            workspace=make_workspace(),
            filename="a.csv",
            file=f"imports/{'live' if status == 'running' else status}.csv",
            file_size=1,
            created_at=NOW,
            status=status,
        )
    assert services.forget_served_files(now=clock.now()) == 0  # one just stored may wait for its transaction
    assert services.forget_served_files(now=later) == 3
    assert sorted(path.name for path in tmp_path.rglob("*.csv")) == ["a.csv", "live.csv"]
