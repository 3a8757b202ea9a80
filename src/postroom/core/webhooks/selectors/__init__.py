"""Reads of webhooks and of their calls."""

from postroom.core.webhooks.selectors.calls import count_hours, find_call, get_call, list_calls, show_call
from postroom.core.webhooks.selectors.ears import forget_ears, is_heard
from postroom.core.webhooks.selectors.endpoints import (
    door_names,
    event_names,
    event_word,
    event_words,
    get_endpoint,
    list_endpoints,
    lock_endpoint,
    reveal_secret,
    secrets_of,
)

__all__ = [
    "count_hours",
    "door_names",
    "event_names",
    "event_word",
    "event_words",
    "find_call",
    "forget_ears",
    "get_call",
    "get_endpoint",
    "is_heard",
    "list_calls",
    "list_endpoints",
    "lock_endpoint",
    "reveal_secret",
    "secrets_of",
    "show_call",
]
