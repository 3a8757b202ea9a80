"""Prints the figures of a run in which no recipient can be lost, and keeps them where the other reports are."""

import json
from collections.abc import Mapping

import pytest

from tests.chaos.report import PLACE


def show_figures(id_: str, figures: Mapping[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    """Print one line for each figure, and write them to ``var/chaos/<id>.json``."""
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / f"{id_}.json").write_text(json.dumps({"id": id_, **figures}, indent=2))
    with capsys.disabled():
        print(f"\n{id_}", *(f"  {name}: {value}" for name, value in figures.items()), sep="\n")  # noqa: T201
