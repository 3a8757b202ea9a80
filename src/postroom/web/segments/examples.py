"""Three questions to start from, for whoever has asked none yet."""

from dataclasses import dataclass
from typing import Final

from postroom.kit.types import JSONObject


@dataclass(frozen=True, slots=True)
class Example:
    """A question under a name: what it is good for, and its filter."""

    key: str
    name: str
    use: str
    filter: JSONObject


_LAST_90: Final[JSONObject] = {"within": {"amount": 90, "unit": "days"}}
EXAMPLES: Final = (
    Example(
        "new",
        "New people",
        "Came in the last 30 days: whom to welcome.",
        {
            "match": "all",
            "conditions": [{"field": "created_at", "operator": "in_last", "value": {"amount": 30, "unit": "days"}}],
        },
    ),
    Example(
        "keen",
        "Keen readers",
        "Opened at least three mails or clicked in one, in the last 90 days: whom to ask.",
        {
            "match": "any",
            "conditions": [
                {"field": "mail.opened", "operator": "did", "value": {**_LAST_90, "times": 3}},
                {"field": "mail.clicked", "operator": "did", "value": _LAST_90},
            ],
        },
    ),
    Example(
        "quiet",
        "Gone quiet",
        "Were sent mail in the last 90 days and opened none: whom to win back, or let go.",
        {
            "match": "all",
            "conditions": [
                {"field": "mail.sent", "operator": "did", "value": _LAST_90},
                {"field": "mail.opened", "operator": "did_not", "value": _LAST_90},
                {"field": "person.opted_out", "operator": "eq", "value": False},
            ],
        },
    ),
)


def find_example(key: str) -> Example | None:
    """Return the example of that key."""
    return next((one for one in EXAMPLES if one.key == key), None)
