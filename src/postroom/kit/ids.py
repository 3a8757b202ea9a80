"""Identifiers that are safe to show: UUID version 7 (RFC 9562, section 5.7), ordered by the time of their making."""

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """Return a fresh UUIDv7: 48 bits of Unix milliseconds, then 74 random bits."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
    random = int.from_bytes(os.urandom(10), "big")
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)


def parse_uuid(text: str) -> UUID | None:
    """Return the UUID that ``text`` spells, or None when it spells none."""
    try:
        return UUID(text)
    except ValueError:
        return None
