"""Every test of the wire runs on both event loops."""

import asyncio

import pytest
import uvloop

from tests.providers.smtp.outbox import Run


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine to its end."""
    chosen: Run = request.param
    return chosen
