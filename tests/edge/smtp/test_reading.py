"""What is read of a mail that a client hands over: whole where it can be, refused where it must be, and quickly."""

import time
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.attachments import check_attachments
from postroom.core.mail.rules.headers import UNDISCLOSED, check_shown
from postroom.edge.smtp.reading import Handed, read_mail

ANN, BOB, EVE = "ann@x.example", "bob@x.example", "eve@x.example"


def read(head: str, *recipients: str, body: str = "Hi\r\n") -> Handed:
    raw = "From: desk@news.example\r\n" + head.replace("\n", "\r\n") + "\r\n" + body
    return read_mail(raw.encode(), recipients or (ANN,))


@pytest.mark.parametrize(
    ("head", "recipients", "to", "cc", "bcc", "shown"),
    [
        (f"To: {ANN}\n", (ANN,), (ANN,), (), (), {}),
        (f"To: {ANN}\nCc: {BOB}\n", (BOB, ANN), (ANN,), (BOB,), (), {}),
        (f"To: Ann <{ANN}>\n", (ANN,), (ANN,), (), (), {"to": (f"Ann <{ANN}>",)}),
        (f"To: {ANN}\nBcc: {EVE}\n", (ANN, EVE), (ANN,), (), (EVE,), {}),
        (f"To: all@lists.example\nCc: {BOB}\n", (BOB,), (BOB,), (), (), {"to": ("all@lists.example",), "cc": (BOB,)}),
        ("", (ANN, BOB), (ANN, BOB), (), (), {"to": (UNDISCLOSED,)}),
        ("To: undisclosed-recipients:;\n", (ANN,), (ANN,), (), (), {"to": (UNDISCLOSED,)}),
        (f"To: Team: {ANN}, Bob <{BOB}>;\n", (ANN, BOB), (ANN, BOB), (), (), {"to": (ANN, f"Bob <{BOB}>")}),
        ("To: ANN@X.example\n", (ANN,), (ANN,), (), (), {"to": ("ANN@X.example",)}),
        (f"To: {ANN}, {ANN}\n", (ANN,), (ANN,), (), (), {"to": (ANN, ANN)}),
        ("To: postmaster\n", (ANN,), (ANN,), (), (), {"to": (UNDISCLOSED,)}),
    ],
)
def test_the_envelope_says_who_gets_it_and_the_fields_what_is_shown(
    head: str,
    recipients: tuple[str, ...],
    to: tuple[str, ...],
    cc: tuple[str, ...],
    bcc: tuple[str, ...],
    shown: dict[str, tuple[str, ...]],
) -> None:
    found = read(head, *recipients).submission
    assert (found.to, found.cc, found.bcc, dict(found.shown)) == (to, cc, bcc, shown)
    check_shown(found.shown.get("to", ()))


def test_names_are_read_in_every_spelling() -> None:
    head = (
        'To: =?utf-8?q?J=C3=B6rg?= <ann@x.example>, "Lee, Bob" <bob@x.example>\n'
        "Reply-To: =?iso-8859-1?b?WvxyaWNo?= <z@x.example>\nSubject: =?utf-8?b?R3LDvMOf?=\n =?utf-8?b?ZQ==?= 100\n"
    )
    found = read(head, ANN, BOB).submission
    assert found.shown["to"] == ("Jörg <ann@x.example>", '"Lee, Bob" <bob@x.example>')
    assert (found.reply_to, found.subject) == (("Zürich <z@x.example>",), "Grüße 100")


def test_raw_octets_in_the_header_are_utf8_or_what_old_clients_meant() -> None:
    head = "From: desk@news.example\r\nSubject: Grüße\r\n\r\nHi\r\n"
    assert read_mail(head.encode(), (ANN,)).submission.subject == "Grüße"
    assert read_mail(head.encode("latin-1"), (ANN,)).submission.subject == "Grüße"


def test_fields_of_its_own_go_along_and_ours_do_not() -> None:
    found = read(
        "X-Tag: one\nReceived: from x\nDKIM-Signature: v=1\nDate: Fri, 20 Nov 2026 10:00:00 +0000\nIn-Reply-To: <1@x>\n"
        "Message-ID: <7@client.example>\nX-Tag: two\nList-Unsubscribe: <https://x.example/u>\nSender: a@x.example\n"
        "X-Long: " + "y" * 3000 + "\nX-Postmark: =?utf-8?q?a=0D=0ABcc=3A_e=40x?=\n"
    )
    assert found.message_id == "<7@client.example>"
    assert dict(found.submission.headers) == {
        "X-Tag": "one",
        "In-Reply-To": "<1@x>",
        "List-Unsubscribe": "<https://x.example/u>",
        "X-Postmark": "a Bcc: e@x",
        "X-Original-Message-ID": "<7@client.example>",
    }
    assert found.left_out == ("DKIM-Signature", "X-Tag", "X-Long")


def test_a_line_that_is_no_field_does_not_end_the_header() -> None:
    found = read("X-Ünfit: one\n  two\nX-Odd : three\nSubject: s\n\tt\n no field at all\nTo: ann@x.example\n")
    assert (found.submission.subject, found.submission.to) == ("s t no field at all", (ANN,))
    assert dict(found.submission.headers) == {"X-Odd": "three"}
    assert found.left_out == ("X-Ünfit",)


def test_a_long_thread_keeps_its_ends() -> None:
    ids = [f"<{number:040d}@client.example>" for number in range(100)]
    kept = read("References: " + "\n ".join(ids) + "\n").submission.headers["References"].split()
    assert (kept[0], kept[-1]) == (ids[0], ids[-1])
    assert 20 < len(kept) < 40


def test_the_parts_of_every_shape_are_found() -> None:
    made = EmailMessage()
    made["From"], made["To"] = "desk@news.example", ANN
    made.set_content("plain")
    made.add_alternative("<p>html</p>", subtype="html")
    made.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("in a mail")
    made.add_attachment(inner)
    made.add_attachment("a;b", subtype="csv", filename="../../Zahlen 2026.csv")
    made.add_attachment("notes", subtype="plain", filename="notes.txt", cid="<idle@x>")
    found = read_mail(made.as_bytes(policy=made.policy.clone(linesep="\r\n")), (ANN,)).submission
    assert (found.text, found.html) == ("plain\n", "<p>html</p>\n")
    assert [(one.name, one.content_type, one.content_id) for one in found.attachments] == [
        ("invite.ics", "text/calendar", ""),
        ("message.eml", "message/rfc822", ""),
        ("Zahlen 2026.csv", "text/csv", ""),
        ("notes.txt", "text/plain", ""),
    ]
    assert b"Subject: inner\r\n" in found.attachments[1].content
    assert b"in a mail\r\n" in found.attachments[1].content
    assert found.attachments[2].content == b"a;b\r\n"
    check_attachments(found.attachments)


def test_only_what_the_html_shows_stays_inside_it() -> None:
    made = MIMEMultipart("related")
    made["From"] = "desk@news.example"
    made.attach(MIMEText('<img src="cid:a@x"> <img src="cid:b%40x">', "html"))
    for name in ("a@x", "b@x", "c@x", "a@x"):
        part = MIMEApplication(name.encode(), "octet-stream", name=f"{name[0]}.bin")
        part["Content-ID"] = f"<{name}>"
        made.attach(part)
    found = read_mail(made.as_bytes(), (ANN,)).submission
    assert [(one.name, one.content_id) for one in found.attachments] == [
        ("a.bin", "a@x"),
        ("b.bin", "b@x"),
        ("c.bin", ""),
    ]


def test_a_mail_of_nothing_but_a_file_says_so() -> None:
    found = read_mail(
        b"From: scan@news.example\r\nContent-Type: application/pdf; name=scan.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n",
        (ANN,),
    ).submission
    assert (found.text, found.attachments[0].content) == ("Attached: scan.pdf\n", b"\0\1\2\3")


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        ("iso-8859-1", b"Z\xfcrich", "Zürich"),
        ("utf-8", b"Z\xfcrich", "Zürich"),
        ("no-such", "Zürich".encode(), "Zürich"),
        ("punycode", b"abc-", "abc-"),
        ("utf-16", "Zürich".encode("utf-16"), "Zürich"),
        ("us-ascii", b"a\0b", "ab"),
    ],
)
def test_texts_are_read_in_every_charset(charset: str, octets: bytes, text: str) -> None:
    head = f"From: desk@news.example\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert read_mail(head + octets, (ANN,)).submission.text == text


DEEP = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(45))


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@x.example\r\n" + DEEP,
        b"From: a@x.example\r\n" + DEEP * 100,
        b"From: a@x.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 30_000,
        b"From: a@x.example\r\n" + b"X-A: b\r\n" * 40_000 + b"\r\nhi",
        b"From: a@x.example\r\n" + b"".join(b"X-%d: b\r\n" % at for at in range(101)) + b"\r\nhi",
        b"To: a@x.example\r\n\r\nno From",
        b"From: a@x.example, b@x.example\r\n\r\nhi",
        b"From: " + b"n" * 700 + b" <a@x.example>\r\n\r\nhi",
        b"From: a@x.example\r\nTo: " + b", ".join(b"p%d@x.example" % at for at in range(101)) + b"\r\n\r\nhi",
        b"From: a@x.example\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n",
        b"From: a@x.example\r\nContent-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n",
        b"",
        b"\0" * 1000,
    ],
)
def test_hostile_and_hopeless_mail_is_refused_quickly(raw: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(BadMessage):
        read_mail(raw, (ANN,))
    assert time.monotonic() - started < 2


def test_a_large_mail_is_read_in_a_moment() -> None:
    made = EmailMessage()
    made["From"], made["To"] = "desk@news.example", ANN
    made.set_content("big")
    made.add_attachment(bytes(15_000_000), maintype="application", subtype="zip", filename="big.zip")
    raw = made.as_bytes()
    started = time.monotonic()
    assert len(read_mail(raw, (ANN,)).submission.attachments[0].content) == 15_000_000
    assert time.monotonic() - started < 5


_WORDS = st.sampled_from(
    [b"Content-Type:", b"multipart/mixed", b"; boundary=", b"b", b"--b", b"\r\n", b"\n", b" ", b'"', b"=?utf-8?b?",
     b"?=", b"<", b">", b"@", b"\xff", b"\0", b"text/html", b"From: a@x.example", b"To:", b"Content-ID:", b"base64",
     b"Content-Transfer-Encoding: ", b"message/rfc822", b"filename*0*=", b"Content-Disposition: attachment; "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS | st.binary(max_size=8), max_size=60).map(b"".join))
def test_whatever_arrives_is_read_or_refused_and_nothing_else(octets: bytes) -> None:
    try:
        found = read_mail(b"From: a@x.example\r\n" + octets, (ANN,)).submission
    except BadMessage:
        return
    assert (*found.to, *found.cc, *found.bcc) == (ANN,)
    check_shown(found.shown.get("to", ()))
    check_shown(found.shown.get("cc", ()))
