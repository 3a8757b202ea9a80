"""Reads of webhooks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from postroom.core.webhooks.errors import NoSuchEndpoint
from postroom.core.webhooks.models import Endpoint
from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.types import TEST_EVENT
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto


def list_endpoints(*, workspace: Workspace) -> list[Endpoint]:
    """Return the workspace's webhooks, oldest first."""
    return list(Endpoint.objects.filter(workspace=workspace).order_by("pk"))


def get_endpoint(*, workspace: Workspace, uid: UUID) -> Endpoint:
    """Return a webhook. Raises NoSuchEndpoint, also for one of another workspace."""
    found = Endpoint.objects.filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchEndpoint
    return found


def lock_endpoint(*, workspace: Workspace, uid: UUID) -> Endpoint:
    """Return a webhook, locked against every other change of it. Raises NoSuchEndpoint."""
    rows = Endpoint.objects.select_for_update(of=("self",)).select_related("workspace")
    found = rows.filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchEndpoint
    return found


def reveal_secret(endpoint: Endpoint) -> str:
    """Return the secret that a webhook's calls are signed with."""
    return crypto.decrypt(endpoint.secret)


def secrets_of(endpoint: Endpoint, now: datetime) -> Sequence[str]:
    """Return the secrets that sign now: for a day after a change the former one, too."""
    secrets = [crypto.decrypt(endpoint.secret)]
    if endpoint.previous_secret and endpoint.previous_until is not None and now < endpoint.previous_until:
        secrets.append(crypto.decrypt(endpoint.previous_secret))
    return secrets


def event_names(door: str) -> list[str]:
    """Return the events a webhook of this door may choose, in the door's words; empty for an unknown door."""
    words = writers()[door].types if door in writers() else {}
    return list(dict.fromkeys(name for core, name in words.items() if core != TEST_EVENT))


def door_names() -> list[tuple[str, str]]:
    """Return the doors whose dialects a webhook may speak, and what people call these."""
    return [(str(door), writer.label) for door, writer in sorted(writers().items(), key=lambda one: one[1].label)]


def event_word(door: str, type_: str) -> str:
    """Return what a door calls an event."""
    return writers()[door].types.get(type_, type_) if door in writers() else type_


def event_words(door: str) -> list[tuple[str, str]]:
    """Return all events of a door, and what it calls them."""
    return list(writers()[door].types.items()) if door in writers() else []
