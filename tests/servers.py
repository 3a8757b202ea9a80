"""Removing the embedded servers that tests make: as root, some of their files live outside the test's own directory."""

import shutil
from pathlib import Path

from postroom.config import postgres


def remove_server(data_dir: Path) -> None:
    """Stop the server of ``data_dir`` and delete all its files."""
    postgres.stop(data_dir)
    shutil.rmtree((data_dir / "postgres").resolve(), ignore_errors=True)
    shutil.rmtree(postgres.socket_directory(data_dir), ignore_errors=True)
