"""The vendored files are exactly those of the packages they came from."""

import hashlib
import json
from pathlib import Path

import pytest

import postroom.web

VENDOR = Path(postroom.web.__file__).parent / "static" / "web" / "vendor"
ENTRIES = json.loads((VENDOR / "vendor.json").read_text())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_a_vendored_file_has_the_sum_that_was_written_down(entry: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    assert entry["name"]
    assert entry["version"]
    assert entry["licence"]


def test_every_vendored_file_is_listed() -> None:
    listed = {VENDOR / entry["file"] for entry in ENTRIES}
    kinds = {".js", ".css", ".svg"}
    assert {path for path in VENDOR.rglob("*") if path.suffix in kinds} == listed


def test_no_vendored_style_sheet_loads_anything_from_elsewhere() -> None:
    for path in VENDOR.glob("*.css"):
        text = path.read_text()
        assert "@import" not in text
        assert "url(http" not in text.replace('url("http', "url(http").replace("url('http", "url(http")
