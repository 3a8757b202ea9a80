"""What the guide tells people to write works."""

import re
from pathlib import Path
from typing import Any

from postroom.core.webhooks.rules import signing
from postroom.kit import clock

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "webhooks.md"


def test_the_guides_python_knows_ours_from_others() -> None:
    (code,) = re.findall(r"```python\n(import base64.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    secret, body = signing.make_secret(), '{"type":"email.sent","data":{"subject":"Grüße"}}'.encode()
    headers = dict(signing.standard_headers([signing.make_secret(), secret], "id", clock.now(), body))
    assert names["is_ours"](secret, headers, body)
    assert not names["is_ours"](secret, headers, body + b" ")
    assert not names["is_ours"](signing.make_secret(), headers, body)
    assert not names["is_ours"](secret, headers | {"webhook-timestamp": "1000000000"}, body)
