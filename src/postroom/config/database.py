"""Which PostgreSQL to talk to: the one ``DATABASE_URL`` names, else the embedded one of the data directory."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from postroom.config import postgres
from postroom.config.environment import BadSetting, env_str

# Over a network a peer may vanish without a word. Both ends notice within half a minute: the client gets an error
# instead of waiting for ever (libpq, section 34.1.2), and the server ends a vanished client's transaction and with it
# its locks, which would hold up everybody else (PostgreSQL, section 19.3).
_CLIENT: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
_SERVER: Final = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "idle_in_transaction_session_timeout": "60000",
}


def is_embedded() -> bool:
    """Whether this installation runs its own PostgreSQL."""
    return not env_str("DATABASE_URL")


def database_settings(data_dir: Path) -> dict[str, Any]:
    """Return Django's ``DATABASES["default"]``; options of the URL win over ours.

    Raises BadSetting for a URL that names no PostgreSQL.
    """
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
    options = _CLIENT | dict(parse_qsl(parts.query))
    options["options"] = " ".join(
        [*(f"-c {name}={value}" for name, value in _SERVER.items()), options.get("options", "")]
    )
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(options.pop("host", "") or parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
