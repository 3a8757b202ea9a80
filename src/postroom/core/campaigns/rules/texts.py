"""What a text of a campaign may look like, and what is missing before it can be sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.mail.types import Composition
from postroom.kit.types import JSONValue

LONGEST: Final = {"name": 200, "subject": 998, "preheader": 300, "sender_name": 200, "body": 500_000, "text": 500_000}
_LINES: Final = frozenset(("name", "subject", "preheader", "sender_name"))
TEST_PREFIX: Final = "[Test] "
MOST_TEST_RECIPIENTS: Final = 10

# Stands in for a reader where a mail is shown before anybody gets it.
EXAMPLE_READER: Final[Mapping[str, JSONValue]] = {
    "email": "alex@example.com",
    "first_name": "Alex",
    "last_name": "Example",
    "company": "Example Ltd",
    "phone": "",
    "language": "en",
    "timezone": "UTC",
    "custom": {},
}


def check_text(name: str, value: str) -> str:
    """Return the value of a text field. Raises BadCampaign when it is too long, or a line break is in a line."""
    said = name.replace("_", " ")
    if len(value) > LONGEST[name]:
        raise BadCampaign(f"The {said} is longer than {LONGEST[name]} characters.", field=name)
    if "\0" in value:
        raise BadCampaign(f"The {said} holds a NUL character.", field=name)
    if name in _LINES and len(value.splitlines()) > 1:
        raise BadCampaign(f"The {said} must be a single line.", field=name)
    if name == "name" and not value.strip():
        raise BadCampaign("A campaign needs a name.", field=name)
    return value


def find_missing(*, has_sender: bool, subject: str, body: str, audience_size: int) -> tuple[str, ...]:
    """Return what a campaign lacks before it can be sent."""
    parts = {
        "sender": has_sender,
        "subject": bool(subject.strip()),
        "body": bool(body.strip()),
        "audience": audience_size > 0,
    }
    return tuple(name for name, is_there in parts.items() if not is_there)


def make_test(composition: Composition, *, letter: str = "") -> Composition:
    """Return the composition as a test sends it; ``letter`` says which variant it is, where there are several."""
    prefix = f"[Test {letter}] " if letter else TEST_PREFIX
    return replace(composition, subject=prefix + composition.subject)


MAILINGS: Final = "SELECT uid, batch_id FROM campaigns_campaign WHERE workspace_id = %s AND uid = ANY(%s::uuid[])"
"""Which mailing was whose, for questions about people; parameters: workspace, uids of campaigns."""
