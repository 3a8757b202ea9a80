"""Where the dialects live: each below a prefix of its own, and at the root of a host name of its own if it has one."""

import re
from collections.abc import Mapping
from typing import Final

from django.conf import settings

from postroom.kit.asgi import Scope, find_header

_PREFIXES: Final = ("/backoffice/", "/crm/", "/mailtrixy/", "/outreach/", "/usesend/")
_SLASHES: Final = re.compile("/{2,}")


def find_place(path: str, host: str, own_hosts: Mapping[str, str]) -> str:
    """Return the one path that means what ``path`` means at ``host``.

    Below a door, slashes that follow each other count as one: clients whose base address ends in a slash ask with two.
    At a host name that ``own_hosts`` has for a door everything is below that door: no page of the application is there.
    """
    name = host.lower().partition(":")[0].rstrip(".") if own_hosts else ""
    door = next((door for door, own in own_hosts.items() if own == name), None)
    if door is not None:
        path = f"/{door}/{path}"
    elif "//" not in path or not f"/{path.lstrip('/')}".startswith(_PREFIXES):
        return path
    return _SLASHES.sub("/", path)


def go_to_door(scope: Scope) -> Scope:
    """Return the request as if it had come for the one path its address means."""
    own_hosts: Mapping[str, str] = settings.DOOR_HOSTS
    if not own_hosts and "//" not in scope["path"]:
        return scope
    path = find_place(scope["path"], find_header(scope, b"host"), own_hosts)
    return scope if path == scope["path"] else {**scope, "path": path, "raw_path": path.encode()}
