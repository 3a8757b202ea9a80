"""Which PostgreSQL to talk to: the one ``DATABASE_URL`` names, else the embedded one of the data directory."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from postroom.config import postgres
from postroom.config.environment import BadSetting, env_str


def is_embedded() -> bool:
    """Whether this installation runs its own PostgreSQL."""
    return not env_str("DATABASE_URL")


def database_settings(data_dir: Path) -> dict[str, Any]:
    """Return Django's ``DATABASES["default"]``. Raises BadSetting for a URL that names no PostgreSQL."""
    where = postgres.connection_parameters(data_dir) if is_embedded() else _parse_url(env_str("DATABASE_URL"))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        **where,
    }


def _parse_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise BadSetting("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(options.pop("host", "") or parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
