"""The JavaScript examples of the documentation, run by Node against the doors they are of."""

import shutil
import subprocess
from typing import Any

import pytest
from pytest_django import Settings

from tests.api.test_docs import APIS, OPERATIONS, Story, example, show

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("door", APIS)
def test_every_javascript_example_runs(door: str, live_server: Any, settings: Settings) -> None:
    node = shutil.which("node")
    assert node, "The examples need Node (20 or newer) on the path."
    settings.PUBLIC_URL = live_server.url
    page = show(door)
    for of, operation in OPERATIONS:
        if of == door:
            program = Story(door).fill(example(page, operation, "javascript"))
            done = subprocess.run(
                [node, "--input-type=module", "-e", program], capture_output=True, text=True, timeout=60, check=False
            )
            assert done.stdout.startswith(("200 ", "201 ")), (operation, done.stdout, done.stderr)
