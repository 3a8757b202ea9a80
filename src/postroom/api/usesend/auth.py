"""Who may knock: keys of the form ``us_…``; one that only sends opens the e-mail operations and nothing else."""

from typing import Final

from django.http import HttpRequest

from postroom.api.shared.auth import BearerKey, KeyRequest
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.errors import KeyTooNarrow
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Door, Role


class FullKey(BearerKey):
    """Accepts the keys that may do everything at their door."""

    def __call__(self, request: HttpRequest) -> KeyIdentity | None:
        """Return whom the key speaks for, None without a key. Raises BadKey, and KeyTooNarrow for one with scopes."""
        identity = super().__call__(request)
        if identity is not None and identity.scopes:
            raise KeyTooNarrow("API key does not have access to this operation")
        return identity


KEY: Final = BearerKey(Door.USESEND)
FULL_KEY: Final = FullKey(Door.USESEND)


def writer_of(request: KeyRequest, role: Role = Role.MEMBER) -> KeyIdentity:
    """Return whom the key speaks for, who may write. Raises RoleTooLow when its maker's role is less than that."""
    identity = request.auth
    workspaces.require_role(user=identity.user, workspace=identity.workspace, role=role)
    return identity
