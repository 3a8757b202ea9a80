"""Frozen values and enumerations of the mail app."""

from postroom.core.mail.types.accounts import DnsRecord, NewSender, NewTemplate, SenderProfile, Standing
from postroom.core.mail.types.arrivals import CapturedMail, Hit, InboundMail
from postroom.core.mail.types.batches import BatchCounts, BatchTotals, ChunkClaim, MessagesClaim, Work
from postroom.core.mail.types.messages import (
    AcceptedMessage,
    Composition,
    MessageEvent,
    NewMessage,
    Once,
    Outgoing,
    Submission,
)
from postroom.core.mail.types.notices import Notice
from postroom.core.mail.types.words import (
    NOTIFY_HITS,
    NOTIFY_QUEUE,
    BatchStatus,
    BodyFormat,
    Channel,
    ChunkStatus,
    EventType,
    InboundKind,
    MessageClass,
    MessageStatus,
    Provider,
    Signing,
)

__all__ = [
    "NOTIFY_HITS",
    "NOTIFY_QUEUE",
    "AcceptedMessage",
    "BatchCounts",
    "BatchStatus",
    "BatchTotals",
    "BodyFormat",
    "CapturedMail",
    "Channel",
    "ChunkClaim",
    "ChunkStatus",
    "Composition",
    "DnsRecord",
    "EventType",
    "Hit",
    "InboundKind",
    "InboundMail",
    "MessageClass",
    "MessageEvent",
    "MessageStatus",
    "MessagesClaim",
    "NewMessage",
    "NewSender",
    "NewTemplate",
    "Notice",
    "Once",
    "Outgoing",
    "Provider",
    "SenderProfile",
    "Signing",
    "Standing",
    "Submission",
    "Work",
]
