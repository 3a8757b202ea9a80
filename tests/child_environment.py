"""The environment in which a process of its own works on this test run's database."""

import os
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def child_environment() -> dict[str, str]:
    """Return the environment for a program that sets Django up and works on the same rows."""
    where = connection.get_connection_params()
    name, user = quote(where["dbname"]), quote(where.get("user", ""))
    host, port = quote(str(where.get("host", "")), safe=""), where.get("port", "")
    url = f"postgresql://{user}:{quote(where.get('password', ''))}@/{name}?host={host}&port={port}"
    return {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        "POSTROOM_SECRET_KEY": settings.SECRET_KEY,
    }
