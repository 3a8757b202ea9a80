"""Which sender accounts may take work now, and whose server carries it: their own, their carrier's, a stand-in's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from postroom.core.mail.selectors.stops import IS_STOPPED

PROBE_SIZE: Final = 10
"""How many messages try out a server that was failing."""

PROBE_LASTS: Final = timedelta(seconds=30)
"""How long a probe may take before another one begins; its outcome ends it sooner."""

# h is whose server the account has: its carrier's, or its own. The one that stands in for that must work itself, and
# nobody stands in for it: a chain has two links.
_READY: Final = f"""
SELECT s.id, h.id, CASE WHEN h.retry_at > %(now)s THEN f.id ELSE h.id END,
    h.failing_since IS NOT NULL AND (h.retry_at <= %(now)s) IS NOT FALSE,
    s.is_limited, h.retry_at > %(now)s AND f.is_limited
FROM mail_senderaccount s
JOIN mail_senderaccount h ON h.id = coalesce(s.carrier_id, s.id) AND h.workspace_id = s.workspace_id AND h.is_active
LEFT JOIN mail_senderaccount f ON f.id = h.fallback_id AND f.workspace_id = h.workspace_id AND f.id <> h.id
    AND f.is_active AND f.channel = 'email' AND f.failing_since IS NULL AND (f.retry_at <= %(now)s) IS NOT FALSE
    AND f.carrier_id IS NULL AND h.failing_since + h.fallback_after_s * interval '1 second' <= %(now)s
WHERE s.is_active AND s.channel = 'email' AND ((h.retry_at <= %(now)s) IS NOT FALSE OR f.id IS NOT NULL)
    AND NOT {IS_STOPPED.format(workspace_id="s.workspace_id")}
"""  # noqa: S608 - made of constants

_BEGIN_PROBE: Final = """
UPDATE mail_senderaccount SET retry_at = %(until)s WHERE id = (
    SELECT id FROM mail_senderaccount WHERE id = %(sender_id)s AND (retry_at <= %(now)s) IS NOT FALSE
    FOR NO KEY UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Route:
    """Who may send now, over whose server. ``is_probe``: that server was failing, a few messages try it out.
    ``home_id`` is whose server carries the account's mail in the ordinary course: its own, or its carrier's.
    ``limited`` names the accounts whose limits have a say; those of its carrier are among its own.
    """

    sender_id: int
    home_id: int
    route_id: int
    is_probe: bool
    limited: tuple[int, ...]


def list_routes(*, now: datetime) -> dict[int, Route]:
    """Return the sender accounts that may take work, by key."""
    with connection.cursor() as cursor:
        cursor.execute(_READY, {"now": now})
        return {row[0]: _route(*row) for row in cursor.fetchall()}


def _route(
    sender_id: int, home_id: int, route_id: int, is_probe: bool, is_limited: bool, is_route_limited: bool
) -> Route:
    limited = (sender_id,) * is_limited + (route_id,) * (is_route_limited is True)
    return Route(sender_id, home_id, route_id, is_probe, limited)


def begin_probe(*, sender_id: int, now: datetime) -> bool:
    """Have the account's server tried out by whoever asks, within the caller's transaction; False when another does."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN_PROBE, {"sender_id": sender_id, "now": now, "until": now + PROBE_LASTS})
        return bool(cursor.rowcount == 1)
