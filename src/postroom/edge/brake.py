"""Slows down whoever fills in our public forms by the hundred; who they are is kept as a keyed hash, for an hour."""

from typing import Final

from django.core.cache import cache
from django.http import HttpRequest

from postroom.kit.crypto import keyed_hash

MAX_PER_HOUR: Final = 30
_HOUR_S: Final = 3600


def is_braked(request: HttpRequest, form: str) -> bool:
    """Count one use of a form by this client; return whether it was one too many."""
    client = keyed_hash("brake", f"{form} {request.META.get('REMOTE_ADDR', '')}".encode()).hex()
    key = f"edge.brake.{client}"
    cache.add(key, 0, _HOUR_S)
    try:
        return cache.incr(key) > MAX_PER_HOUR
    except ValueError:  # it ended between the two
        return False
