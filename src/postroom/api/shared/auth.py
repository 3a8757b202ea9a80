"""API keys at the doors: a request brings a secret, ``request.auth`` becomes whom it speaks for."""

from django.http import HttpRequest
from ninja.security.base import AuthBase

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Door
from postroom.kit import clock


class KeyRequest(HttpRequest):
    """A request that came with an accepted key."""

    auth: KeyIdentity


class BearerKey(AuthBase):
    """Accepts the keys of one door in ``Authorization``; the scheme's name before the key is not looked at."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door

    def __call__(self, request: HttpRequest) -> KeyIdentity | None:
        """Return whom the key speaks for, None without a key. Raises BadKey."""
        _, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if not secret.strip():
            return None
        return workspaces.authenticate_key(secret=secret.strip(), door=self._door, now=clock.now())
