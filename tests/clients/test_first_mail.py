"""What we show a developer to paste runs as it stands: the quick start's programs, and the commands of the guide."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from postroom.web.shared.snippets import FirstMail, write_curl, write_javascript, write_python, write_smtp
from tests.clients.ground import HOME, Ground

pytestmark = pytest.mark.clients

GUIDE: Final = Path(__file__).resolve().parents[2] / "docs" / "guides" / "first-mail.md"


@pytest.fixture
def first(ground: Ground) -> FirstMail:
    """The first mail of somebody whose address is hard to quote."""
    facts = ground.facts
    return FirstMail(str(facts["url"]), str(facts["key"]), "hello@example.com", "o'hara@example.com")


def run(ground: Ground, command: list[str], given: str = "", **variables: str) -> str:
    """Run a program as a terminal would; what it printed."""
    environment = {**ground.environment, **variables}
    done = subprocess.run(
        command, input=given, cwd=HOME, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_of_the_quick_start_sends(ground: Ground, first: FirstMail) -> None:
    assert "emailId" in json.loads(run(ground, ["bash", "-c", write_curl(first)]))


def test_the_python_program_of_the_quick_start_sends(ground: Ground, first: FirstMail) -> None:
    printed = run(ground, [str(HOME / ".venv" / "bin" / "python"), "-"], write_python(first))
    assert "emailId" in printed


def test_the_javascript_program_of_the_quick_start_sends(ground: Ground, first: FirstMail) -> None:
    node = shutil.which("node")
    assert node, "The JavaScript client needs Node (20 or newer) on the path."
    assert "emailId" in run(ground, [node, "--input-type=module", "-"], write_javascript(first))


def test_the_smtp_command_of_the_quick_start_sends(ground: Ground, first: FirstMail) -> None:
    port = ground.running.submission_port
    command = re.sub(r"smtp://localhost:\d+", f"smtp://127.0.0.1:{port}", write_smtp(first))
    run(ground, ["bash", "-c", command])


def test_the_commands_of_the_guide_run(ground: Ground) -> None:
    commands = read_commands(GUIDE)
    assert set(commands) == {"curl", "once", "read"}
    facts = {"POSTROOM_URL": str(ground.facts["origin"]), "POSTROOM_KEY": str(ground.facts["key"])}
    sent = json.loads(run(ground, ["bash", "-c", commands["curl"]], **facts))
    answers = run(ground, ["bash", "-c", commands["once"]], **facts).split("\n")[:2]
    assert "emailId" in answers[0]
    assert answers[0] == answers[1], "the second attempt sends nothing"
    read = json.loads(run(ground, ["bash", "-c", commands["read"]], EMAIL_ID=str(sent["emailId"]), **facts))
    assert read["subject"] == "My first e-mail"


def read_commands(guide: Path) -> Mapping[str, str]:
    """Return the commands of a guide that are marked to be run, by name."""
    marked = re.findall(r"^<!-- run: (\w+) -->\n```sh\n(.*?)^```$", guide.read_text(), re.MULTILINE | re.DOTALL)
    return dict(marked)
