"""Readers of the environment: the only way a setting comes in. ``NAME_FILE`` names a file that holds ``NAME``."""

import os
from pathlib import Path


class BadSetting(Exception):
    """A setting in the environment cannot be read."""


def env_str(name: str, default: str = "") -> str:
    """Return the text of ``name``, or of the file that ``name_FILE`` names, or ``default``.

    Raises BadSetting when both are given or the file cannot be read.
    """
    direct, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if direct is not None and path is not None:
        raise BadSetting(f"Set {name} or {name}_FILE, not both.")
    if path is None:
        return default if direct is None else direct
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE: cannot read {path}: {error.strerror}.") from error


def env_int(name: str, default: int) -> int:
    """Return ``name`` as a whole number. Raises BadSetting when it is none."""
    text = env_str(name)
    try:
        return int(text) if text else default
    except ValueError as error:
        raise BadSetting(f"{name} must be a whole number, not {text!r}.") from error


def env_bool(name: str, default: bool) -> bool:
    """Return ``name`` as yes or no (1/0, true/false, yes/no, on/off). Raises BadSetting for anything else."""
    text = env_str(name).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    if text:
        raise BadSetting(f"{name} must be true or false, not {text!r}.")
    return default


def env_list(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return the comma-separated words of ``name``."""
    text = env_str(name)
    return [word.strip() for word in text.split(",") if word.strip()] if text else list(default)
