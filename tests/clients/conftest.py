"""A running installation for the official clients. What they are driven by stands in folders of their languages, and
runs in environments of its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.ground import Ground

collect_ignore = ["python", "javascript", "node_modules", ".venv"]


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Run all of Postroom, a name server and a receiver of webhooks."""
    with Ground(Path(tmp_path_factory.mktemp("clients"))) as ground:
        yield ground
