"""The installation's own secret key: made once, kept in the data directory, readable by its owner alone."""

import os
import secrets
from pathlib import Path


def installation_key(data_dir: Path) -> str:
    """Return the key kept in ``data_dir``, making it (256 random bits, mode 0600) on the first call."""
    path = data_dir / "secret-key"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()
