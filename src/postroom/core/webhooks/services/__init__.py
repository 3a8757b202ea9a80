"""Writes of webhooks: telling what happened, delivering it, and what their owners do."""

from postroom.core.webhooks.services.calls import forget_calls, replay_call, replay_failed, test_endpoint
from postroom.core.webhooks.services.delivering import book_answers, take_turn
from postroom.core.webhooks.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    pause_endpoint,
    resume_endpoint,
    rotate_secret,
    update_endpoint,
)
from postroom.core.webhooks.services.scrubbing import scrub_calls
from postroom.core.webhooks.services.telling import tell, tell_rows

__all__ = [
    "book_answers",
    "create_endpoint",
    "delete_endpoint",
    "forget_calls",
    "pause_endpoint",
    "replay_call",
    "replay_failed",
    "resume_endpoint",
    "rotate_secret",
    "scrub_calls",
    "take_turn",
    "tell",
    "tell_rows",
    "test_endpoint",
    "update_endpoint",
]
