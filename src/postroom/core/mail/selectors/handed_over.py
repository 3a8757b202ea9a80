"""Mail that programs handed over by SMTP, as the audit trail has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from postroom.core.workspaces.models import ApiKey, AuditEntry, User, Workspace
from postroom.core.workspaces.types import Door

_LOOKED_AT: Final = 2_000
"""So many of an organization's last writes are looked through, whatever it has of others."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """Mail that one key handed over at one moment."""

    at: datetime
    key: ApiKey | None
    messages: int


def list_hand_overs(*, workspace: Workspace, maker: User | None = None, most: int = 10) -> list[HandOver]:
    """Return the last hand-overs by SMTP, newest first; with ``maker`` those with that person's keys."""
    latest = AuditEntry.objects.filter(organization_id=workspace.organization_id).order_by("-id")[:_LOOKED_AT]
    mine = AuditEntry.objects.filter(
        pk__in=latest.values("pk"), workspace=workspace, door=Door.EDGE, act="mail.accepted", api_key__isnull=False
    )
    if maker is not None:
        mine = mine.filter(api_key__created_by=maker)
    return [
        HandOver(entry.at, entry.api_key, _count(entry.after))
        for entry in mine.select_related("api_key").order_by("-id")[:most]
    ]


def _count(after: object) -> int:
    found = after.get("messages") if isinstance(after, Mapping) else None
    return found if isinstance(found, int) else 0
