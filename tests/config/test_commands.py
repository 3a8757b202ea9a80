"""The command line: refusals are sentences, and what an operator does by hand has its effect."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from postroom.config.commands import claims
from postroom.config.commands.administrator import NewAdministrator, create_administrator
from postroom.config.commands.doctor import examine
from postroom.core.mail.models import Chunk, Message, Recipient
from postroom.core.mail.types import ChunkStatus
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.errors import EmailTaken, WeakPassword
from postroom.core.workspaces.types import Role
from tests.child_environment import child_environment
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch

NEW = NewAdministrator("ada@example.com", "analytical engine", "Example", "main")


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "postroom.config", *arguments]
    variables = {**os.environ, "POSTROOM_DATA_DIR": str(tmp_path / "var"), **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"POSTROOM_WEB_PORT": "http"}, "postroom: POSTROOM_WEB_PORT must be a whole number, not 'http'.\n"),
        ({"DATABASE_URL": "mysql://x/y"}, "postroom: DATABASE_URL must look like postgresql://"),
        ({"POSTROOM_SECRET_KEY": "short"}, "postroom.E001: A secret key needs at least 32 characters."),
        ({"POSTROOM_PUBLIC_URL": "nowhere"}, "postroom.E003: POSTROOM_PUBLIC_URL must look like https://"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(tmp_path: Path, environment: dict[str, str], sentence: str) -> None:
    done = run(tmp_path, "web", **environment)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told_with_a_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "createkey", "ada@example.com", "crm")
    assert done.returncode == 1
    assert done.stderr.startswith("postroom: ")
    assert "Is the server running" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_lists_every_command(tmp_path: Path) -> None:
    text = run(tmp_path, "--help").stdout
    commands = (
        "up",
        "web",
        "worker",
        "sender",
        "smtp",
        "migrate",
        "createadmin",
        "createkey",
        "import",
        "doctor",
        "claims",
    )
    assert all(f"\n  {command} " in text for command in commands)
    assert "\n  manage" not in text


@pytest.mark.django_db
def test_an_administrator_gets_a_workspace_of_their_own() -> None:
    create_administrator(NEW)
    workspace = workspaces.find_workspace(slug="main")
    assert workspace is not None
    (user,) = [membership.user for membership in workspace.organization.memberships.all()]
    assert user.check_password("analytical engine")
    assert workspaces.effective_role(user=user, workspace=workspace) == Role.ADMIN


@pytest.mark.django_db
def test_a_refused_administrator_leaves_nothing_behind() -> None:
    with pytest.raises(WeakPassword):
        create_administrator(NewAdministrator("ada@example.com", "short", "Example", "main"))
    create_administrator(NEW)
    with pytest.raises(EmailTaken):
        create_administrator(NewAdministrator("ada@example.com", "analytical engine", "Other", "other"))
    assert workspaces.find_workspace(slug="other") is None


@pytest.mark.django_db
def test_the_doctor_finds_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert examine() == 1
    found = capsys.readouterr().out
    assert "PostgreSQL" in found
    assert "up to date" in found
    assert "postroom worker" in found
    assert "sandbox only" in found
    assert "Certificate" in found


@pytest.mark.django_db
def test_claims_names_who_holds_mail_and_gives_up_a_lost_machine(capsys: pytest.CaptureFixture[str]) -> None:
    batch = make_batch(workspace=make_workspace(), total=2)
    chunk = Chunk.objects.create(
        batch=batch, number=1, size=2, status=ChunkStatus.CLAIMED, owner="lost-1-a", attempt=1, claimed_at=NOW
    )
    for number in (901, 902):
        Recipient.objects.create(
            id=number, batch=batch, chunk_number=1, contact_id=number, email=f"ann-{number}@example.com"
        )

    claims.show_claims()
    assert "lost-1-a" in capsys.readouterr().out
    assert claims.abandon_claims("lost-1-a") == 0
    assert claims.abandon_claims("lost-1-a") == 1

    chunk.refresh_from_db()
    assert chunk.status == ChunkStatus.DONE
    assert set(Message.objects.values_list("pk", "status")) == {(901, "in_doubt"), (902, "in_doubt")}


@pytest.mark.django_db
def test_a_database_without_tables_is_told_in_a_sentence(tmp_path: Path) -> None:
    url = urlsplit(child_environment()["DATABASE_URL"])._replace(path="/postgres").geturl()
    done = run(tmp_path, "createadmin", "ada@example.com", "--password", "analytical engine", DATABASE_URL=url)
    assert done.returncode == 1
    assert done.stderr.endswith("or run `postroom migrate`.\n")
