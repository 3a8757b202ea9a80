"""What a mail that comes back says: bounce, delay, complaint, automatic reply or reply, and to which message."""

from postroom.core.mail.rules.reports.reading import InboundReading, read_inbound

__all__ = ["InboundReading", "read_inbound"]
