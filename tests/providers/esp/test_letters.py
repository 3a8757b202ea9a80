"""A finished message taken apart for a provider: who gets it is the envelope's to say, whatever its fields show."""

from postroom.core.mail.ports import Envelope
from postroom.providers.esp.letters import Letter

MAIL = b"From: a@x.example\r\nTo: %b\r\nCc: %b\r\nSubject: s\r\nContent-Type: text/plain\r\n\r\nhi\r\n"


def letter(to: bytes, cc: bytes, *recipients: str) -> Letter:
    return Letter(Envelope(7, "r@x.example", recipients, MAIL % (to, cc), True))


def test_a_field_may_name_somebody_who_gets_no_copy() -> None:
    made = letter(b"Jane <j@y.example>, all@lists.example", b"k@y.example", "j@y.example", "h@y.example").to_django()
    assert made.to == ["Jane <j@y.example>"]
    assert made.cc == []
    assert made.bcc == ["h@y.example"]


def test_a_single_hidden_recipient_is_named_to_the_provider() -> None:
    made = letter(b"undisclosed-recipients:;", b"all@lists.example", "h@y.example").to_django()
    assert (made.to, made.cc, made.bcc) == (["h@y.example"], [], [])


def test_several_hidden_recipients_stay_hidden_from_each_other() -> None:
    made = letter(b"undisclosed-recipients:;", b"all@lists.example", "h@y.example", "i@y.example").to_django()
    assert (made.to, made.cc, made.bcc) == ([], [], ["h@y.example", "i@y.example"])
