"""From which accounts and domains workspaces may send, read for many at once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from postroom.core.mail.models import Domain
from postroom.core.mail.types import SendingAccount
from postroom.core.workspaces.types import Room
from postroom.kit.arrays import array_text
from postroom.kit.prepared import Asked, Rows, ask_prepared

_ACCOUNTS: Final = """
SELECT w.id, w.organization_id, s.id, s.name, s.from_email, s.provider, s.is_active, s.is_limited,
    s.carrier_id IS NOT NULL AND d.verified_at IS NULL
FROM workspaces_workspace w LEFT JOIN mail_senderaccount s ON s.workspace_id = w.id AND s.channel = 'email'
LEFT JOIN mail_domain d ON d.id = s.domain_id
WHERE w.id = ANY(%(ids)s::bigint[]) ORDER BY s.id
"""


@dataclass(slots=True)
class SendingRoom:
    """A workspace with its sender accounts for e-mail, oldest first."""

    room: Room
    accounts: list[SendingAccount] = field(default_factory=list)


def load_sending_rooms(*, workspace_ids: Collection[int]) -> dict[int, SendingRoom]:
    """Return these workspaces by key, in one statement."""
    return ask_sending_rooms(workspace_ids=workspace_ids).get()


def ask_sending_rooms(*, workspace_ids: Collection[int]) -> Asked[dict[int, SendingRoom]]:
    """Ask for them; in a pipeline, together with what else is asked."""
    return ask_prepared(_ACCOUNTS, {"ids": array_text(workspace_ids)}, _read_rooms)


def _read_rooms(rows: Rows) -> dict[int, SendingRoom]:
    found: dict[int, SendingRoom] = {}
    for workspace_id, organization_id, *account in rows:
        room = found.setdefault(workspace_id, SendingRoom(Room(workspace_id, organization_id)))
        if account[0] is not None:
            room.accounts.append(SendingAccount(*account))
    return found


def load_domains(*, workspace_ids: Collection[int]) -> dict[tuple[int, str], Domain]:
    """Return the domains of these workspaces by workspace and name, in one statement."""
    rows = Domain.objects.select_related("workspace").filter(workspace_id__in=workspace_ids)
    return {(domain.workspace_id, domain.name): domain for domain in rows}
