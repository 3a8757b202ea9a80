"""Loops go on whatever a step meets, and stop when told."""

import threading
from datetime import datetime

import pytest
from django.db import OperationalError

from postroom.workers import loops
from postroom.workers.registry import Loop


@pytest.mark.parametrize("error", [OperationalError("the server is away"), ZeroDivisionError()])
def test_a_loop_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(loops, "AFTER_AN_ERROR_S", 0.01)
    turns: list[datetime] = []
    went_on = threading.Event()

    def step(now: datetime) -> bool:
        turns.append(now)
        if len(turns) == 1:
            raise error
        went_on.set()
        return False

    with loops.running_loops([Loop(step, 0.01)]):
        assert went_on.wait(10)


def test_a_step_that_finds_more_is_taken_again_at_once() -> None:
    turns: list[datetime] = []
    is_through = threading.Event()

    def step(now: datetime) -> bool:
        turns.append(now)
        if len(turns) == 3:
            is_through.set()
        return len(turns) < 3

    with loops.running_loops([Loop(step, 3600.0)]):
        assert is_through.wait(10)
    assert len(turns) == 3
