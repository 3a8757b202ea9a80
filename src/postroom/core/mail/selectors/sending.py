"""From which accounts and domains workspaces may send, read for many at once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from django.db import connection

from postroom.core.mail.models import Domain
from postroom.core.mail.types import SendingAccount
from postroom.core.workspaces.types import Room

_ACCOUNTS: Final = """
SELECT w.id, w.organization_id, s.id, s.name, s.from_email, s.provider, s.is_active, s.is_limited
FROM workspaces_workspace w LEFT JOIN mail_senderaccount s ON s.workspace_id = w.id AND s.channel = 'email'
WHERE w.id = ANY(%s) ORDER BY s.id
"""


@dataclass(slots=True)
class SendingRoom:
    """A workspace with its sender accounts for e-mail, oldest first."""

    room: Room
    accounts: list[SendingAccount] = field(default_factory=list)


def load_sending_rooms(*, workspace_ids: Collection[int]) -> dict[int, SendingRoom]:
    """Return these workspaces by key, in one statement."""
    found: dict[int, SendingRoom] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, [list(workspace_ids)])
        for workspace_id, organization_id, *account in cursor.fetchall():
            room = found.setdefault(workspace_id, SendingRoom(Room(workspace_id, organization_id)))
            if account[0] is not None:
                room.accounts.append(SendingAccount(*account))
    return found


def load_domains(*, workspace_ids: Collection[int]) -> dict[tuple[int, str], Domain]:
    """Return the domains of these workspaces by workspace and name, in one statement."""
    rows = Domain.objects.select_related("workspace").filter(workspace_id__in=workspace_ids)
    return {(domain.workspace_id, domain.name): domain for domain in rows}
