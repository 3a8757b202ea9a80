"""Bodies of the analytics operations."""

from postroom.api.shared.values import Camel


class Counts(Camel):
    """How many e-mails came so far."""

    sent: int
    delivered: int
    opened: int
    clicked: int
    bounced: int
    complained: int


class DayCounts(Counts):
    """The counts of one day, which reads like ``Mar 04``."""

    date: str


class TimeSeries(Camel):
    """The counts of each day, oldest first, and their sums."""

    result: list[DayCounts]
    total_counts: Counts


class Reputation(Camel):
    """What mailbox providers judge by; the rates are per cent of what was delivered."""

    delivered: int
    hard_bounced: int
    complained: int
    bounce_rate: float
    complaint_rate: float
