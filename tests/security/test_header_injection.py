"""Nobody adds a header field through a name, a value, an address, a display name, a subject or a slot."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from postroom.core.mail.errors import BadAddress, BadHeader
from postroom.core.mail.rules import compose
from postroom.core.mail.rules.headers import check_email, check_header, format_address, parse_addresses
from postroom.core.mail.types import Composition, MessageClass
from tests.printing import print_message

CORPUS: dict[str, list[str]] = json.loads((Path(__file__).parent / "corpus" / "header_injection.json").read_text())
ALLOWED = {"From", "X-Own", "Reply-To", "To", "Cc", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type"}
CONTENT = compose.compile_content(
    compose.freeze(
        Composition(subject="Hi {{ name }}", body="<p>{{ name }}</p>"),
        message_class=MessageClass.TRANSACTIONAL,
        tracks_opens=False,
        tracks_clicks=False,
    )
)


def rendered(**changes: object) -> EmailMessage:
    """Return the message as an independent reader sees it."""
    raw = print_message(CONTENT, **changes)
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default))


def test_the_corpus_has_200_entries() -> None:
    assert sum(map(len, CORPUS.values())) >= 200


@pytest.mark.parametrize("name", CORPUS["names"] + CORPUS["forbidden"])
def test_a_hostile_or_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(BadHeader):
        check_header(name, "z")
    with pytest.raises(BadHeader):
        rendered(headers={name: "z"})


@pytest.mark.parametrize("value", CORPUS["values"])
def test_a_hostile_value_is_refused(value: str) -> None:
    with pytest.raises(BadHeader):
        check_header("X-Own", value)
    with pytest.raises(BadHeader):
        rendered(headers={"X-Own": value})


@pytest.mark.parametrize("email", CORPUS["emails"])
def test_a_hostile_address_is_refused(email: str) -> None:
    with pytest.raises(BadAddress):
        check_email(email)
    with pytest.raises(BadAddress):
        format_address("Kim", email)


@pytest.mark.parametrize("field", ["to", "cc", "reply_to"])
@pytest.mark.parametrize("email", CORPUS["emails"])
def test_a_hostile_address_in_a_message_is_refused_or_adds_nobody(field: str, email: str) -> None:
    try:
        message = rendered(**{field: (email,)})
    except BadAddress:
        return
    assert set(message.keys()) <= ALLOWED
    assert message["Bcc"] is None


@pytest.mark.parametrize("name", CORPUS["display"])
def test_a_hostile_display_name_is_refused(name: str) -> None:
    with pytest.raises(BadAddress):
        format_address(name, "kim@x.example")
    with pytest.raises(BadAddress):
        parse_addresses(f'"{name}" <kim@x.example>')


@pytest.mark.parametrize("name", CORPUS["harmless_display"])
def test_an_odd_display_name_stays_a_name(name: str) -> None:
    message = rendered(from_=format_address(name, "kim@x.example"))
    assert [address.addr_spec for address in message["From"].addresses] == ["kim@x.example"]
    assert set(message.keys()) <= ALLOWED


@pytest.mark.parametrize("value", CORPUS["values"] + CORPUS["display"] + CORPUS["harmless_display"])
def test_a_hostile_slot_neither_adds_a_field_nor_a_part(value: str) -> None:
    message = rendered(slots={"name": value})
    assert set(message.keys()) <= ALLOWED
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_a_good_extra_header_goes_out_and_a_second_of_its_name_does_not() -> None:
    assert rendered(headers={"X-Own": "grüße"})["X-Own"] == "grüße"
    with pytest.raises(BadHeader):
        rendered(headers={"X-Own": "1", "x-own": "2"})


def test_a_message_has_one_sender() -> None:
    with pytest.raises(BadAddress):
        rendered(from_="a@x.example, b@x.example")


def test_a_hostile_message_id_is_refused() -> None:
    with pytest.raises(BadHeader):
        rendered(message_id_header="<1@x.example>\r\nBcc: victim@evil.example")
