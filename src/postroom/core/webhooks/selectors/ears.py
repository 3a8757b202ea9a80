"""Who listens for what, looked up once a second in each process: where nobody does, telling costs nothing."""

import time
from collections.abc import Iterable
from typing import Final

from postroom.core.webhooks.models import Endpoint
from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.types import EndpointStatus

KNOWN_FOR_S: Final = 1.0


class _Ears:
    """The events that each workspace's webhooks want, as they were a moment ago."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._wanted: dict[int, frozenset[str]] = {}

    def wanted(self) -> dict[int, frozenset[str]]:
        if not self._read_at or time.monotonic() - self._read_at > KNOWN_FOR_S:
            self._wanted, self._read_at = _read(), time.monotonic()
        return self._wanted

    def forget(self) -> None:
        self._read_at = 0.0


_EARS: Final = _Ears()


def is_heard(*types: str, workspace_ids: Iterable[int]) -> bool:
    """Whether a webhook of one of the workspaces may want one of these events."""
    wanted = _EARS.wanted()
    return bool(wanted) and any(not wanted[one].isdisjoint(types) for one in workspace_ids if one in wanted)


def forget_ears() -> None:
    """Look again the next time: this process has just changed a webhook."""
    _EARS.forget()


def _read() -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    rows = Endpoint.objects.filter(status=EndpointStatus.ACTIVE).values_list("workspace_id", "door", "event_types")
    for workspace_id, door, names in rows:
        words = writers()[door].types if door in writers() else {}
        wanted = frozenset(core for core, name in words.items() if not names or name in names)
        found[workspace_id] = found.get(workspace_id, frozenset()) | wanted
    return found
