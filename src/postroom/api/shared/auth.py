"""API keys at the doors: a request brings a secret, ``request.auth`` becomes whom it speaks for."""

from django.http import HttpRequest, HttpResponseBase
from ninja.security.base import AuthBase

from postroom.api.shared.keys import KEYS
from postroom.api.shared.rates import Rate, take_turn
from postroom.core.workspaces.errors import BadKey
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Door


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
        """Return whom the key speaks for, None without a key. Raises BadKey, and RateLimited for one request too many
        of its workspace.
        """
        secret = read_secret(request.headers.get("Authorization", ""))
        if not secret:
            return None
        identity = KEYS.find(secret, self._door)
        if identity is None:
            raise BadKey("The API key is unknown, expired or revoked.")
        rate = take_turn(identity)
        if rate is not None:
            request.META[_RATE] = rate
            if rate.is_over:
                raise rate.refusal()
        return identity


_RATE = "postroom.rate"


def read_secret(authorization: str) -> str:
    """Return the key in the header's value, or an empty text."""
    return authorization.strip().partition(" ")[2].strip()


def say_rate(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let an answer say where its workspace stands, if that was counted."""
    rate = request.META.get(_RATE)
    if isinstance(rate, Rate):
        for name, value in rate.headers().items():
            response.headers[name] = value
