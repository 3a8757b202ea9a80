"""The one place that reads the clock; core functions take ``now`` as an argument instead."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current instant, aware, in UTC."""
    return datetime.now(UTC)
