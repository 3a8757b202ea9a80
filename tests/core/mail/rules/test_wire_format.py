"""What leaves is mail by anybody's reading: compiled or plain, with any words, for any mailbox, signed or not."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.core.mail.errors import BadAddress
from postroom.core.mail.rules import compose, dkim
from postroom.core.mail.rules.compose import FrozenContent
from postroom.core.mail.rules.compose.plain import write_body
from postroom.core.mail.rules.compose.values import Filling
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.rules.tokens import Seal, track_token
from postroom.core.mail.types import Attachment, Composition, MessageClass
from postroom.kit.mime import clean_line, clean_text
from postroom.kit.types import JSONValue
from tests.dkim_reader import verify_all
from tests.printing import URL, print_message
from tests.rfc_reader import Mail, decode_words, read_mail

LETTER = compose.compile_content(
    compose.freeze(
        Composition(
            subject="{{ first_name }}",
            body='<p>Dear {{ first_name }} of {{ custom.city | default: "somewhere" }}:</p>'
            '<p><a href="https://shop.example/a?b=1&amp;c=2">one</a> {% if vip %}<b>{{ vip }}</b>{% endif %}</p>',
        ),
        message_class=MessageClass.MARKETING,
        tracks_opens=True,
        tracks_clicks=True,
    )
)
KEYS = dkim.generate_keys()
SIGNERS = {
    "none": dkim.Signer("x.example"),
    "rsa": dkim.Signer("x.example", [("post", KEYS.rsa_private)]),
    "ed25519": dkim.Signer("x.example", [("post-ed", KEYS.ed25519_private)]),
    "both": dkim.Signer("x.example", [("post", KEYS.rsa_private), ("post-ed", KEYS.ed25519_private)]),
}
SIGNATURES = {"none": 0, "rsa": 1, "ed25519": 1, "both": 2}
RECORDS = {
    "post._domainkey.x.example": dkim.dns_record(KEYS.rsa_public),
    "post-ed._domainkey.x.example": dkim.dns_record(KEYS.ed25519_public),
}

ODD = "a .,;:<>\"'=?&\r\n\t\0éß中🎉‮א\u2028\u2029\u200b\ufeff\x85\x1b\x7f_()[]@\\"
TEXTS = (
    st.text(max_size=60) | st.text(alphabet=ODD, max_size=120) | st.text(alphabet="🎉é a", min_size=60, max_size=400)
)
LONG = st.sampled_from(["x" * 10_240, "🎉" * 2_560, "a b " * 2_560, "é" * 75 + " " + "w" * 300])
FILES = (
    Attachment("Übersicht – März 2026.pdf", "application/pdf", bytes(range(256)) * 40),
    Attachment("logo.png", "image/png", b"\x89PNG" + bytes(500), "logo@x.example"),
    Attachment("a \"quoted\" 'name'.txt", "text/plain", b".\r\n..\nFrom me\n"),
    Attachment("empty", "application/octet-stream", b""),
    Attachment("mail.eml", "message/rfc822", b"Subject: x\r\n\r\n.\r\n"),
    Attachment("x" * 150 + ".bin", "application/x-y", b"\0"),
)

HEADS: dict[str, dict[str, Any]] = {
    "marketing": {"list_unsubscribe": True, "reply_domain": "in.x.example"},
    "transactional": {},
    "named": {"from_": '"Kim, Lee" <a@x.example>', "to": ("Jörg Äß <j@y.example>", "b@y.example")},
    "copied": {"cc": ("c@y.example", "Zoë <z@y.example>"), "reply_to": ("Help <help@x.example>",)},
    "long": {"from_": f"{'Ö' * 60} <a@x.example>", "to": tuple(f"{'n' * 40}{n}@y.example" for n in range(20))},
    "extra": {"headers": {"X-Campaign": "é" * 200, "References": "<a@b.example>", "In-Reply-To": "<a@b.example>"}},
    "files": {"attachments": FILES},
    "far": {"public_url": f"https://{'mail-' * 11}x.example/{'deep/' * 20}post", "list_unsubscribe": True},
}
SLOTS: dict[str, dict[str, JSONValue]] = {
    "plain": {"first_name": "Kim", "custom": {"city": "Wien"}},
    "none": {},
    "odd": {"first_name": "Jörg  <b>\r\nBcc: x@y.example", "custom": {"city": ".\r\n.\r\n"}, "vip": "= ?utf-8?"},
    "long": {"first_name": "🎉" * 300, "custom": {"city": "w" * 2_000}, "vip": "." * 200},
}


@pytest.mark.parametrize("slots", SLOTS.values(), ids=SLOTS)
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("signing", SIGNERS)
def test_every_variant_is_correct_mail_and_holds_its_signatures(
    signing: str, head: dict[str, Any], slots: dict[str, JSONValue]
) -> None:
    raw = print_message(LETTER, SIGNERS[signing] if signing != "none" else None, slots=slots, **head)
    mail = read_mail(raw)
    assert verify_all(raw, RECORDS) == [True] * SIGNATURES[signing]
    assert raw.isascii()
    assert not re.search(rb"(?:\A|\n)\.", raw), "a line that begins with a dot"
    assert [name for name, _ in mail.fields if name.lower() == "bcc"] == []
    assert mail.text("Subject") == clean_line(str(slots.get("first_name", "")))
    kinds = [part.kind for part in mail.parts]
    assert kinds[:2] == ["text/plain", "text/html"]
    if "attachments" in head:
        assert [part.content for part in mail.parts[2:]] == [FILES[1].content, FILES[0].content] + [
            one.content for one in FILES[2:]
        ]
        assert "message/rfc822" not in kinds  # it may not be encoded, so it goes as plain octets


def test_bulk_mail_offers_one_click_and_signs_it() -> None:
    raw = print_message(LETTER, SIGNERS["both"], **HEADS["far"])
    mail = read_mail(raw)
    assert mail.value("List-Unsubscribe-Post") == b"List-Unsubscribe=One-Click"
    assert re.fullmatch(rb"<https://[^<>\s]+/u/[\w-]{32}>", mail.value("List-Unsubscribe"))
    for name, value in mail.fields:
        if name == "DKIM-Signature":
            signed = re.sub(rb"\s", b"", value).partition(b"h=")[2].partition(b";")[0].split(b":")
            assert {b"list-unsubscribe", b"list-unsubscribe-post", b"mime-version", b"content-type"} <= set(signed)
            for field in (b"from", b"to", b"subject", b"date", b"message-id", b"reply-to"):
                present = any(other.lower().encode() == field for other, _ in mail.fields)
                assert signed.count(field) == 1 + present, field


def _check_subject(words: str) -> None:
    raw = print_message(LETTER, slots={"first_name": words})
    mail = read_mail(raw)
    assert mail.text("Subject") == clean_line(words)
    _check_no_more(mail, 7)


def _check_name(words: str) -> None:
    try:
        sender = format_address(words, "a@x.example")
    except BadAddress:
        return  # said before anything is accepted
    mail = read_mail(print_message(LETTER, from_=sender, to=(sender,)))
    for field in ("From", "To"):
        assert _name_of(mail.value(field)) == " ".join(words.split())
    _check_no_more(mail, 7)


def _check_header(words: str) -> None:
    from postroom.core.mail.errors import BadHeader
    from postroom.core.mail.rules.headers import check_header

    try:
        check_header("X-Own", words)
    except BadHeader:
        return
    mail = read_mail(print_message(LETTER, headers={"X-Own": words}))
    assert mail.text("X-Own") == clean_line(words)
    _check_no_more(mail, 8)


def _check_no_more(mail: Mail, count: int) -> None:
    assert len(mail.fields) == count, [name for name, _ in mail.fields]


def _name_of(value: bytes) -> str:
    """Return the display name of one mailbox (RFC 5322, section 3.4)."""
    name = value.rpartition(b"<")[0].strip()
    if name.startswith(b'"'):
        return re.sub(rb"\\(.)", rb"\1", name[1:-1]).decode("utf-8")
    return decode_words(name)


CHECKS = pytest.mark.parametrize("check", [_check_subject, _check_name, _check_header])


@CHECKS
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=TEXTS | LONG)
def test_any_words_are_read_back_and_add_no_field(check: Callable[[str], None], words: str) -> None:
    check(words)


@pytest.mark.slow
@CHECKS
@settings(max_examples=17_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(words=TEXTS | LONG)
def test_fifty_thousand_words_are_read_back_and_add_no_field(check: Callable[[str], None], words: str) -> None:
    check(words)


TAGS = (
    *("Hello {{ first_name }}", "{{ custom.city | default: 'x' }}", "{{ link_0 }}", "{{ open_pixel_url }}", "."),
    *("{{ unsubscribe_url }}", "{% if vip %}yes {{ vip }}{% endif %}", "{{ first_name | upcase }}", "word " * 30),
    *("{% for n in items %}{{ n }},{% endfor %}", "{% assign a = 'b' %}{{ a }}", "{{- custom.city -}}", "x" * 90),
    *("<p title='{{ first_name }}'>", "{{ nothing }}", "é", "=", " ", "\n", "\n.\n", "\t\n", "..\n"),
)
SOURCES = st.lists(st.sampled_from(TAGS), max_size=12).map("".join)
VALUES = st.fixed_dictionaries(
    {"first_name": TEXTS, "custom": st.fixed_dictionaries({"city": TEXTS}), "vip": TEXTS | st.none() | st.booleans()},
    optional={"items": st.lists(TEXTS, max_size=3)},
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=SOURCES, html=SOURCES, slots=VALUES)
def test_compiled_and_plainly_written_mail_say_the_same(text: str, html: str, slots: dict[str, JSONValue]) -> None:
    frozen = FrozenContent("s", html, text, (compose.Link(0, "https://shop.example"),))
    compiled = compose.compile_content(frozen)
    fast = read_mail(print_message(compiled, slots=slots))
    seal = Seal(7)
    filling = Filling(slots, URL, track_token(7, 9), seal.unsubscribe_token())
    header = print_message(compiled, slots=slots).partition(b"MIME-Version: 1.0\r\n")[0]
    plain = read_mail(header + b"MIME-Version: 1.0\r\n" + write_body(frozen, filling, ()))
    # Where they lead is the same for the compiled one only if it has such an address at all.
    assert [part.kind for part in fast.parts] == [part.kind for part in plain.parts]
    for one, other in zip(fast.parts, plain.parts, strict=True):
        assert one.content.decode() == other.content.decode()
    assert [field for field in fast.fields if field[0] != "Content-Type"] == [
        field for field in plain.fields if field[0] != "Content-Type"
    ]


@pytest.mark.parametrize(
    "words", ["a\rb", "a\nb", "a\r\n.\r\nb", "\n.\n", "\r.\r", "x\r\n\0.\r\n", "\n.\r\n", "\r\n.\n"]
)
def test_no_value_ends_a_message_early(words: str) -> None:
    """Eight wrong ends of data, in every place that a recipient's words may stand in (SMTP smuggling)."""
    slots: dict[str, JSONValue] = {"first_name": words, "custom": {"city": words}, "vip": words}
    for head in HEADS.values():
        raw = print_message(LETTER, slots=slots, **head)
        read_mail(raw)
        assert b"\r\n.\r\n" not in raw
    assert clean_text(words) in read_mail(print_message(LETTER, slots=slots)).part("text/plain")


def test_a_mailbox_beyond_ascii_is_written_in_utf8_and_its_domain_as_a_labels() -> None:
    to = format_address("Jürgen", "jürgen@bücher.example")
    raw = print_message(LETTER, SIGNERS["both"], to=(to,), cc=("用户@例え.jp",), slots=SLOTS["odd"])
    mail = read_mail(raw, is_utf8=True)
    assert mail.value("To").endswith("<jürgen@xn--bcher-kva.example>".encode())
    assert mail.value("Cc") == "用户@xn--r8jz45g.jp".encode()
    assert _name_of(mail.value("To")) == "Jürgen"
    assert verify_all(raw, RECORDS) == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize("signing", ["rsa", "ed25519", "both"])
def test_a_thousand_messages_verify_and_none_with_one_octet_changed(signing: str) -> None:
    import random

    chance = random.Random(4)
    bodies = (b"", b"\r\n\r\n", b"a  \t\r\nb \r\n\r\n", "Grüße 🎉\r\n".encode(), b".\r\n..\r\n", b"x" * 998 + b"\r\n")
    heads = list(HEADS.values())
    good = bad = 0
    for number in range(1_000):
        if number % 4 == 3:
            raw = _letter_by_hand(number, chance.choice(bodies))
            raw = SIGNERS[signing].sign(raw) + raw
        else:
            words = "".join(chance.choice(ODD) for _ in range(30))
            slots: dict[str, JSONValue] = {"first_name": words, "custom": {"city": words}}
            date = datetime.fromtimestamp(1_700_000_000 + number, UTC)
            raw = print_message(LETTER, SIGNERS[signing], slots=slots, date=date, **chance.choice(heads))
        good += verify_all(raw, RECORDS) == [True] * SIGNATURES[signing]
        bad += any(verify_all(_flipped(raw, chance), RECORDS))
    assert (good, bad) == (1_000, 0)


def _letter_by_hand(number: int, body: bytes) -> bytes:
    """Return a message with 8-bit text, odd blanks and a folded List-Unsubscribe, as other programs write it."""
    return (
        b"From: Post <a@x.example>\r\nTo: b@y.example\r\nSubject:  two \r\n\t lines  here \r\n"
        b"Date: Fri, 20 Nov 2026 08:00:00 +0000\r\nMessage-ID: <%d@x.example>\r\nList-Unsubscribe:\r\n"
        b" <mailto:u@x.example>,\r\n\t<https://x.example/u/abc>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%b"
    ) % (number, body)


def _flipped(raw: bytes, chance: "Any") -> bytes:
    """Return the message with one octet changed that a signature covers: of the body, or of a signed field's value."""
    header, _, body = raw.partition(b"\r\n\r\n")
    if body.strip(b"\r\n") and chance.random() < 0.5:
        at = len(header) + 4 + chance.randrange(len(body.rstrip(b"\r\n")))
    else:
        name = chance.choice([b"From: ", b"To: ", b"Date: ", b"Message-ID: ", b"MIME-Version: "])
        at = raw.index(b"\r\n" + name if b"\r\n" + name in header else name) + len(name) + 2
    changed = raw[at] ^ 1
    return raw[:at] + bytes([changed]) + raw[at + 1 :]
