"""What the tests of the edge share."""

from collections.abc import Iterator

import pytest

from tests.edge.front_door import FrontDoor, front_door


@pytest.fixture(scope="session")
def door(django_db_setup: None) -> Iterator[FrontDoor]:
    """A front door on the tests' database, for all tests that leave it as it is."""
    with front_door() as running:
        yield running
