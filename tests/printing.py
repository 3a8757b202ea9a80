"""One message off the press, for tests that look at its octets."""

from datetime import UTC, datetime
from typing import Any

from postroom.core.mail.rules import compose, tokens
from postroom.core.mail.rules.dkim import Signer

URL = "https://mail.x.example"


def print_message(compiled: compose.CompiledContent, signer: Signer | None = None, **changes: Any) -> bytes:
    """Return message 7 of content 9 with ``changes`` to its letterhead or its letter."""
    head: dict[str, Any] = {"content_id": 9, "from_": "Postroom News <news@x.example>", "public_url": URL}
    letter: dict[str, Any] = {
        "seal": tokens.Seal(7),
        "to": ("b@y.example",),
        "message_id_header": tokens.message_id_header(7, "x.example"),
        "date": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        "slots": {},
    }
    for name, value in changes.items():
        (letter if name in compose.Letter._fields else head)[name] = value
    return compose.Press(compiled, compose.Letterhead(**head), signer).print(compose.Letter(**letter))
