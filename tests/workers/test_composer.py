"""From a claimed message to its envelope, for one sender account."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from postroom.core.mail.ports import Outcome
from postroom.core.mail.rules import compose, dkim, tokens
from postroom.core.mail.rules.headers import UNDISCLOSED
from postroom.core.mail.types import (
    Attachment,
    Composition,
    KeyAlgorithm,
    Mailing,
    MessageClass,
    Outgoing,
    Provider,
    SenderProfile,
    SigningKey,
)
from postroom.workers.sender.composer import Composer
from tests.dkim_reader import verify_all
from tests.providers.smtp.outbox import StrictOutbox, deliver
from tests.providers.smtp.outbox import settings as smtp_settings
from tests.rfc_reader import read_mail
from tests.sinks import Plan, Sink, unstuff

CONTENT = compose.compile_content(
    compose.freeze(
        Composition(subject="Hi {{ first_name }}", body='<p>{{ first_name }} <a href="https://shop.example">x</a></p>'),
        message_class=MessageClass.MARKETING,
        tracks_opens=True,
        tracks_clicks=True,
    )
)
PROFILE = SenderProfile(
    id=5,
    provider=Provider.SMTP,
    config={},
    credentials={},
    from_name="The Desk",
    from_email="desk@news.example",
    reply_to="",
    domain="news.example",
)
MARKETING = Mailing(1, 9, MessageClass.MARKETING)


def outgoing(number: int = 7, mailing: Mailing = MARKETING, **changes: Any) -> Outgoing:
    item = Outgoing(number, mailing, (f"u{number}@people.example",), {"first_name": "Kim"}, "")
    return item._replace(**changes)


def test_a_message_names_itself_in_every_place() -> None:
    envelope = Composer(PROFILE).compose(outgoing(), CONTENT)
    mail = read_mail(envelope.body)
    assert tokens.read_bounce(envelope.return_path.partition("@")[0]) == tokens.MessageToken(7)
    assert tokens.read_reply(mail.text("Reply-To").partition("@")[0]) == tokens.MessageToken(7)
    assert tokens.read_message_id(mail.text("Message-ID")) == tokens.MessageToken(7)
    assert mail.text("Message-ID") == tokens.message_id_header(7, "news.example")
    way_out = re.search(r"/u/([\w-]{32})>", mail.text("List-Unsubscribe"))
    assert way_out is not None
    assert tokens.read_unsubscribe(way_out[1]) == tokens.MessageToken(7)
    click = re.search(r"/c/([\w-]+/\d+)", mail.part("text/html"))
    assert click is not None
    assert tokens.read_click(click[1]) == tokens.ClickToken(7, 9, 0)
    assert envelope.recipients == ("u7@people.example",)
    assert envelope.is_plain


def test_what_was_fixed_at_acceptance_stays() -> None:
    mailing = replace(MARKETING, from_address="Lee <lee@news.example>", reply_to=("help@news.example",))
    item = outgoing(mailing=mailing, message_id_header="<1@news.example>", cc=("c@x.example",), bcc=("b@x.example",))
    envelope = Composer(PROFILE).compose(item, CONTENT)
    mail = read_mail(envelope.body)
    assert (mail.text("From"), mail.text("Reply-To")) == ("Lee <lee@news.example>", "help@news.example")
    assert mail.text("Message-ID") == "<1@news.example>"
    assert envelope.recipients == ("u7@people.example", "c@x.example", "b@x.example")
    assert b"b@x.example" not in envelope.body


def test_a_domain_that_leads_here_takes_what_comes_back_and_begins_the_links() -> None:
    profile = replace(PROFILE, return_domain="back.news.example", tracking_url="https://go.news.example")
    envelope = Composer(profile).compose(outgoing(), CONTENT)
    assert envelope.return_path.endswith("@back.news.example")
    assert b"https://go.news.example/u/" in envelope.body
    html = read_mail(envelope.body).part("text/html")
    assert "https://go.news.example/c/" in html
    assert "https://go.news.example/o/" in html
    assert str(settings.PUBLIC_URL) not in html


def test_messages_of_many_mailings_do_not_mix() -> None:
    composer = Composer(PROFILE)
    mailings = [replace(MARKETING, headers={"X-Number": str(number)}) for number in range(150)]
    for turn in range(2):
        for number, mailing in enumerate(mailings):
            mail = read_mail(composer.compose(outgoing(number + 1, mailing), CONTENT).body)
            assert mail.text("X-Number") == str(number), turn
            assert mail.text("To") == f"u{number + 1}@people.example"


def test_every_key_of_the_domain_signs() -> None:
    keys = dkim.generate_keys()
    profile = replace(
        PROFILE,
        keys=(
            SigningKey("one", KeyAlgorithm.RSA, keys.rsa_private),
            SigningKey("two", KeyAlgorithm.ED25519, keys.ed25519_private),
        ),
    )
    records = {
        "one._domainkey.news.example": dkim.dns_record(keys.rsa_public),
        "two._domainkey.news.example": dkim.dns_record(keys.ed25519_public),
    }
    files = (Attachment("a.txt", "text/plain", b"hello"),)
    for mailing in (MARKETING, replace(MARKETING, attachments=files)):
        assert verify_all(Composer(profile).compose(outgoing(mailing=mailing), CONTENT).body, records) == [True, True]


ABROAD = ("jürgen@bücher.example", "用户@例え.jp")


def test_mailboxes_beyond_ascii_arrive_unchanged_where_the_server_takes_them() -> None:
    envelopes = [Composer(PROFILE).compose(outgoing(number, to=(ABROAD[number],)), CONTENT) for number in (0, 1)]
    assert not any(envelope.is_plain for envelope in envelopes)
    outbox = StrictOutbox([envelopes[0]._replace(message_id=1), envelopes[1]._replace(message_id=2)])
    with Sink(Plan(keeps_bodies=True)) as sink:
        asyncio.run(deliver(outbox, smtp_settings(sink.port, max_connections=1)))
        said, copies = [line for line in sink.commands if line.startswith((b"MAIL", b"RCPT"))], sink.copies
    assert outbox.of(Outcome.SENT) == [1, 2]
    assert said[1] == "RCPT TO:<jürgen@xn--bcher-kva.example>".encode()
    assert said[3] == "RCPT TO:<用户@xn--r8jz45g.jp>".encode()
    assert all(b"SMTPUTF8" in line and b"BODY=8BITMIME" in line for line in said[::2])
    assert [unstuff(copy.body) for copy in copies] == [envelope.body for envelope in envelopes]
    assert read_mail(envelopes[0].body, is_utf8=True).value("To") == "jürgen@xn--bcher-kva.example".encode()


@pytest.mark.parametrize("extensions", [(), ("8BITMIME",)])
def test_mailboxes_beyond_ascii_are_not_forced_on_a_server(extensions: tuple[str, ...]) -> None:
    envelopes = [Composer(PROFILE).compose(outgoing(number, to=(ABROAD[number],)), CONTENT) for number in (0, 1)]
    outbox = StrictOutbox([envelopes[0]._replace(message_id=1), envelopes[1]._replace(message_id=2)])
    with Sink(Plan(extensions=extensions)) as sink:
        asyncio.run(deliver(outbox, smtp_settings(sink.port, max_connections=1)))
        assert sink.copies == []
    assert outbox.of(Outcome.FAILED) == [1, 2]
    assert {result.enhanced for result in outbox.results.values()} <= {"5.6.7", "5.6.3"}
    assert all(result.text for result in outbox.results.values())


def test_to_and_cc_say_what_is_shown_while_the_envelope_says_who_gets_it() -> None:
    shown = {"to": ("Jane Doe <u7@people.example>", "all@lists.example"), "cc": ("Zoë <zoe@x.example>",)}
    item = outgoing(shown=shown, cc=("zoe@x.example",), bcc=("b@x.example",))
    envelope = Composer(PROFILE).compose(item, CONTENT)
    mail = read_mail(envelope.body)
    assert mail.text("To") == "Jane Doe <u7@people.example>, all@lists.example"
    assert mail.text("Cc") == "Zoë <zoe@x.example>"
    assert envelope.recipients == ("u7@people.example", "zoe@x.example", "b@x.example")


def test_a_mail_whose_recipients_are_hidden_names_nobody() -> None:
    envelope = Composer(PROFILE).compose(outgoing(shown={"to": (UNDISCLOSED,)}), CONTENT)
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in envelope.body
    assert b"u7@people.example" not in envelope.body
    assert envelope.recipients == ("u7@people.example",)
