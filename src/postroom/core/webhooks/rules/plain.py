"""The house's own dialect: the body that Standard Webhooks recommends, facts in the core's words."""

import json
from collections.abc import Mapping
from typing import Final

from postroom.core.webhooks.types import EVENTS, TEST_EVENT, CallToWrite, Written

PLAIN_DOOR: Final = "web"


class PlainWriter:
    """Writes ``{"type", "timestamp", "data"}``, the same for every attempt."""

    label: Final = "Standard Webhooks"
    types: Final[Mapping[str, str]] = {name: name for name in (*EVENTS, TEST_EVENT)}

    def write(self, call: CallToWrite) -> Written:
        """Return the call; all its headers are those of Standard Webhooks."""
        said = {"type": call.type, "timestamp": call.created_at.isoformat(), "data": dict(call.data)}
        return Written({"User-Agent": "Postroom-Webhooks"}, json.dumps(said, ensure_ascii=False).encode())


PLAIN: Final = PlainWriter()
