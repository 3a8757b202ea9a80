"""D3 through the sending API: nobody adds a header field by a name, a value, an address or a subject."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, cast

import pytest
from pytest_django import Settings

from postroom.core.mail import selectors as mail
from postroom.core.mail.models import Message
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.rules.tokens import Seal
from postroom.core.mail.services.letters import freeze_letters
from postroom.core.workspaces.types import Door
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_workspace
from tests.printing import print_message

CORPUS: Final[dict[str, list[str]]] = json.loads(
    (Path(__file__).parent / "corpus" / "header_injection.json").read_text()
)
BARE: Final = {"From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type"}
LETTER: Final[dict[str, Any]] = {
    "to": "kim@y.example",
    "from": "Post <a@x.example>",
    "subject": "Hi",
    "html": "<p>Hi</p>",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(settings: Settings) -> ApiClient:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_client(workspace=make_workspace(), door=Door.USESEND)


def sent() -> EmailMessage | None:
    """Return the accepted message as an independent reader of what leaves sees it, None when none was accepted."""
    message = Message.objects.select_related("sender").first()
    if message is None:
        return None
    (message,) = freeze_letters(rows=[message], now=NOW)
    assert message.content_id is not None
    raw = print_message(
        mail.load_compiled_content(content_id=message.content_id),
        seal=Seal(message.pk),
        content_id=message.content_id,
        from_=message.from_address or format_address(message.sender.from_name, message.sender.from_email),
        to=tuple(message.to),
        cc=tuple(message.cc),
        reply_to=tuple(message.reply_to),
        headers=message.headers,
        slots=message.slots,
        message_id_header=message.message_id_header,
        date=NOW,
    )
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default))


def send(client: ApiClient, allowed: set[str], **changes: Any) -> tuple[int, EmailMessage | None]:
    """Return status and message; a message has no field but the ``allowed``, each once, and nobody in Bcc."""
    Message.objects.all().delete()
    reply = client.post("/v1/emails", {**LETTER, **changes})
    assert reply.status in (200, 400), reply
    message = sent()
    assert (reply.status == 200) == (message is not None)
    if message is not None:
        assert set(message.keys()) <= BARE | allowed
        assert len(message.keys()) == len(set(message.keys()))
    return reply.status, message


def wanted(text: str) -> int:
    """The contract leaves out a field with a line break; whatever else is hostile is refused, a NUL always."""
    return 200 if {"\r", "\n"} & set(text) and "\0" not in text else 400


def test_a_hostile_name_is_refused_or_left_out(client: ApiClient) -> None:
    for name in CORPUS["names"] + CORPUS["forbidden"]:
        status, _ = send(client, set(), headers={name: "z"})
        assert status == wanted(name), repr(name)


def test_a_hostile_value_is_refused_or_left_out(client: ApiClient) -> None:
    for value in CORPUS["values"]:
        status, _ = send(client, set(), headers={"X-Own": value})
        assert status == wanted(value), repr(value)


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "from", "replyTo"])
def test_a_hostile_address_is_refused_or_adds_nobody_unseen(client: ApiClient, field: str) -> None:
    for email in CORPUS["emails"]:
        send(client, {"Cc", "Reply-To"}, **{field: email})


@pytest.mark.parametrize("field", ["to", "cc", "from", "replyTo"])
def test_a_hostile_display_name_is_refused_and_an_odd_one_adds_no_field(client: ApiClient, field: str) -> None:
    for name in CORPUS["display"]:
        status, _ = send(client, set(), **{field: f'"{name}" <kim@x.example>'})
        assert status == 400, repr(name)
    for name in CORPUS["harmless_display"]:
        send(client, {"Cc", "Reply-To"}, **{field: f"{name} <kim@x.example>"})


def test_a_hostile_subject_stays_one_field(client: ApiClient) -> None:
    for subject in CORPUS["values"] + CORPUS["display"]:
        _, message = send(client, set(), subject=subject)
        assert message is None or not {"\r", "\n"} & set(str(message["Subject"]))


def test_a_good_header_goes_out(client: ApiClient) -> None:
    _, message = send(client, {"X-Own"}, headers={"X-Own": "grüße", "X-Usesend-Email-ID": "stolen"})
    assert message is not None
    assert message["X-Own"] == "grüße"
