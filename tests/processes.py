"""Child processes that work on the test's own database."""

import os
from pathlib import Path
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection


def child_environment() -> dict[str, str]:
    """Return the environment in which a child reads and writes what the running test does."""
    where = connection.settings_dict
    options = dict(where.get("OPTIONS") or {})
    if where["HOST"]:
        options["host"] = where["HOST"]
    login = quote(where["USER"]) + (":" + quote(where["PASSWORD"]) if where["PASSWORD"] else "")
    port = f":{where['PORT']}" if where["PORT"] else ""
    root = str(Path(__file__).resolve().parent.parent)
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql://{login}@{port}/{where['NAME']}?{urlencode(options)}",
        "DJANGO_SETTINGS_MODULE": "postroom.config.settings",
        "POSTROOM_SECRET_KEY": settings.SECRET_KEY,
        "PYTHONPATH": root,
    }
