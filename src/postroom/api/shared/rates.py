"""How many requests a second a workspace's keys may make together, and what every answer says about it."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import DatabaseError

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.services import KeyIdentity, RateWindow
from postroom.kit import clock
from postroom.kit.errors import RateLimited

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """Where a workspace stands in its second: ``reset_at`` (Unix seconds) is when the next one begins."""

    limit: int
    remaining: int
    reset_at: int
    is_over: bool = False

    @property
    def wait_s(self) -> int:
        """Whole seconds until the next request may be made."""
        return max(1, round(self.reset_at - clock.now().timestamp()))

    def headers(self) -> dict[str, str]:
        """Return what an answer says of it; the last of them is what useSend's client for Rust reads."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
            "ratelimit-reset": str(self.wait_s),
        }

    def refusal(self) -> RateLimited:
        """Return what a request beyond the limit is told."""
        seconds = self.wait_s
        return RateLimited(f"Rate limit exceeded. Try again in {seconds} seconds.", retry_after_s=seconds)


def limit_of(identity: KeyIdentity) -> int:
    """Return how many requests a second the key's workspace may make; 0 is as many as it likes."""
    own = identity.workspace.api_rate_limit
    return int(settings.API_RATE_LIMIT) if own is None else own


def take_turns(asked: Mapping[int, tuple[int, int]]) -> dict[int, list[Rate]]:
    """Count requests and return where each stands: ``asked`` has (how many, limit) by workspace.

    While the database does not answer, everybody may go on: the list is empty then.
    """
    try:
        windows = workspaces.count_requests(counts={number: count for number, (count, _) in asked.items()})
    except DatabaseError as error:
        log.warning("rates_not_counted", error=type(error).__name__)
        return {number: [] for number in asked}
    return {number: _stand(windows[number], count, limit) for number, (count, limit) in asked.items()}


def take_turn(identity: KeyIdentity) -> Rate | None:
    """Count one request; None where nothing limits it."""
    limit = limit_of(identity)
    if limit <= 0:
        return None
    number = identity.workspace.pk
    return next(iter(take_turns({number: (1, limit)})[number]), None)


def _stand(window: RateWindow, count: int, limit: int) -> list[Rate]:
    first = window.used - count + 1
    return [
        Rate(limit, max(limit - place, 0), window.second + 1, is_over=place > limit)
        for place in range(first, window.used + 1)
    ]
