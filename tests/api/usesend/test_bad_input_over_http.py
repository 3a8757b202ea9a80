"""The two ways to send an e-mail have a raw door of their own: what does not fit is answered there, over HTTP, exactly
as by the views that describe them, and nothing is stored.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

import httpx2
import pytest
from pytest_django import Settings

from postroom.core.mail.models import AttachedFile, Message
from postroom.core.workspaces.types import Door
from tests.api.clients import ApiClient, make_client
from tests.api.usesend.test_bad_input import LETTER, MALFORMED
from tests.api.usesend.violations import operations, spoiled, violations
from tests.edge.front_door import front_door
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

PATHS: Final = {"sendEmail": "/v1/emails", "sendEmailBatch": "/v1/emails/batch"}
FULL: Final[dict[str, Any]] = {
    **LETTER,
    "templateId": "0" * 32,
    "variables": {"name": "Ann"},
    "replyTo": ["c@acme.example"],
    "cc": ["d@example.com"],
    "bcc": ["e@example.com"],
    "html": "<p>Hi</p>",
    "headers": {"name": "value"},
    "attachments": [{"filename": "a.txt", "content": "YQ=="}],
    "scheduledAt": "2040-01-01T00:00:00Z",
    "inReplyToId": "0" * 32,
}
JSON: Final = {"Content-Type": "application/json"}


class Both:
    """A client of the running front door, and one of the views."""

    def __init__(self, url: str) -> None:
        self.views = make_client(workspace=make_workspace(), door=Door.USESEND)
        self.headers = {"Authorization": f"Bearer {self.views.secret}"}
        self.program = httpx2.Client(base_url=f"{url}/usesend/api", timeout=60)

    def over_http(self, path: str, octets: bytes, **headers: str) -> tuple[int, Any]:
        """Return status and body of a POST."""
        reply = self.program.post(path, content=octets, headers={**self.headers, **JSON, **headers})
        is_json = reply.headers["Content-Type"].startswith("application/json")
        return reply.status_code, reply.json() if is_json else reply.text

    def by_view(self, path: str, octets: bytes, **headers: str) -> tuple[int, Any]:
        """Return the same of the view."""
        reply = self.views.ask("POST", path, octets, **headers)
        return reply.status, reply.body


@pytest.fixture
def both(settings: Settings) -> Iterator[Both]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with front_door() as door:
        both = Both(door.url)
        with both.program:
            yield both


def octets_of(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


def test_the_raw_door_answers_bad_input_as_the_views_do(both: Both) -> None:
    differing = []
    for operation, path in PATHS.items():
        schema = operations()[operation].body or {}
        good: Any = FULL if operation == "sendEmail" else [FULL]
        bodies = [json.dumps(spoiled(good, violation)).encode() for violation in violations(schema)]
        bodies += [octets_of(body) for body in MALFORMED]
        bodies += [json.dumps(body).encode() for body in (good, [], {}, [LETTER] * 101, [{}], {**LETTER, "from": "x"})]
        for octets in bodies:
            http, view = both.over_http(path, octets), both.by_view(path, octets)
            if http[0] == 200 and view[0] == 200:  # html and the like: both take it
                continue
            if http != view:
                differing.append(f"{path} {octets[:200]!r}: {http} over HTTP, {view} by the view")
        for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
            octets = json.dumps(LETTER).encode()
            http = both.over_http(path, octets, **{"Content-Type": content_type})
            assert http == both.by_view(path, octets, Content_Type=content_type)
        for key in ("", "k" * 257):
            http = both.over_http(path, json.dumps(LETTER).encode(), **{"Idempotency-Key": key})
            assert http == both.by_view(path, json.dumps(LETTER).encode(), Idempotency_Key=key)
    assert not differing, "\n".join(differing)


def test_without_a_key_the_raw_door_says_what_the_views_say(both: Both) -> None:
    for path in PATHS.values():
        for authorization in (
            "",
            "Bearer",
            "Bearer us_x_y",
            "Bearer crm",
            both.headers["Authorization"][:-1],
        ):
            http = both.over_http(path, b"{}", Authorization=authorization)
            secret = authorization.partition(" ")[2]
            reply = ApiClient("/usesend/api", secret).ask("POST", path, b"{}")
            assert http == (reply.status, reply.body), authorization
            assert http[0] in (401, 403)
    assert Message.objects.count() == 0


def test_unknown_methods_of_the_raw_door_are_a_plain_404(both: Both) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        for path in PATHS.values():
            reply = both.program.request(method, path, headers=both.headers)
            assert (reply.status_code, reply.text) == (404, "404 Not Found")


def test_files_of_25_megabytes_are_taken_and_too_much_is_said_to_be(both: Both) -> None:
    def letter(size: int) -> bytes:
        file = {"filename": "large.bin", "content": b64encode(bytes(size)).decode()}
        return json.dumps({**LETTER, "attachments": [file]}).encode()

    status, body = both.over_http("/v1/emails", letter(25 * 1024 * 1024 - 100_000))
    assert status == 200, body
    assert (Message.objects.count(), AttachedFile.objects.count()) == (1, 1)
    status, body = both.over_http("/v1/emails", letter(60 * 1024 * 1024))
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST")
    assert (Message.objects.count(), AttachedFile.objects.count()) == (1, 1)
