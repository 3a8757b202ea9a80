"""useSend's own clients, unchanged, against a running installation: every method of theirs, and their verifiers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.ground import HOME, Ground

pytestmark = pytest.mark.clients


@pytest.mark.timeout(600)
def test_every_method_of_the_python_client_works(ground: Ground) -> None:
    python = HOME / ".venv" / "bin" / "python"
    assert python.exists(), "`make test-clients` installs the client"
    printed = run(ground, str(python), "-m", "pytest", "-q", "-ra", "-c", "pytest.ini", cwd=HOME / "python")
    assert re.search(r"^\d+ passed in ", printed, re.MULTILINE), printed


@pytest.mark.timeout(600)
def test_every_method_of_the_javascript_client_works(ground: Ground) -> None:
    node = shutil.which("node")
    assert node, "The JavaScript client needs Node (20 or newer) on the path."
    suites = sorted(str(path.relative_to(HOME)) for path in (HOME / "javascript").glob("*.test.mjs"))
    printed = run(ground, node, "--test", "--test-concurrency=1", "--test-reporter=tap", *suites, cwd=HOME)
    counts = dict(re.findall(r"^# (tests|pass|skipped|todo) (\d+)$", printed, re.MULTILINE))
    assert counts["tests"] == counts["pass"] != "0", printed
    assert (counts["skipped"], counts["todo"]) == ("0", "0"), printed


def run(ground: Ground, *command: str, cwd: Path) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=ground.environment, capture_output=True, text=True, timeout=500, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed
