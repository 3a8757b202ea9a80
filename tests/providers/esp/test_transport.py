"""Each provider over real HTTP, against a stand-in that answers as its maker documents."""

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from postroom.core.mail.ports import Outcome
from postroom.kit.errors import Unavailable
from postroom.kit.http import Reply
from postroom.providers.esp import EspTransport, build_esp_transport
from postroom.providers.esp.vendor import words_of
from tests.providers.esp.outbox import EspOutbox, build, carry, letter, profile
from tests.stand_ins.esp import DIALECTS, MailgunDialect, StandIn

PROVIDERS = sorted(DIALECTS)
WITH_KEYS = ["brevo", "resend"]
BATCHING = ["mailjet", "postmark", "resend"]


@pytest.fixture
def start() -> Iterator[Callable[..., StandIn]]:
    started: list[StandIn] = []

    def make(provider: str, *moods: str, **options: Any) -> StandIn:
        started.append(StandIn(provider, **options))
        started[-1].moods.extend(moods)
        return started[-1]

    yield make
    for one in started:
        one.stop()


Start = Callable[..., StandIn]


def letters(count: int) -> list[Any]:
    return [letter(number) for number in range(1, count + 1)]


def everyone(count: int) -> dict[str, int]:
    return {str(number): 1 for number in range(1, count + 1)}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_mail_is_handed_over_once_with_the_providers_own_id(start: Start, provider: str) -> None:
    stand_in = start(provider)
    outbox = carry(build(stand_in), letters(25))
    assert outbox.failure is None
    assert stand_in.taken == Counter(everyone(25))
    assert {number: result.provider_id for number, result in outbox.results.items()} == {
        number: f"id-{number}" for number in range(1, 26)
    }
    assert all(result.outcome is Outcome.SENT and result.is_relayed for result in outbox.results.values())
    assert "HTTP 20" in outbox.results[1].dialogue


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refused_message_fails_with_the_vendors_words_and_the_others_go_on(start: Start, provider: str) -> None:
    stand_in = start(provider, "ok", "invalid")
    outbox = carry(build(stand_in, max_connections=1, batch_size=1), letters(4))
    failed = outbox.of(Outcome.FAILED)
    assert (len(failed), len(outbox.of(Outcome.SENT)), outbox.failure) == (1, 3, None)
    assert "The subject is not good." in outbox.results[failed[0]].text
    assert outbox.results[failed[0]].code == 0  # no recipient's server refused it: it is no bounce


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_wrong_key_is_tried_once_and_everything_comes_back(start: Start, provider: str) -> None:
    stand_in = start(provider, *["denied"] * 20)
    outbox = carry(build(stand_in, batch_size=1), letters(10))
    assert isinstance(outbox.failure, Unavailable)
    assert outbox.failure.permanent
    assert "API key is invalid" in outbox.failure.message
    assert (len(stand_in.calls), outbox.results) == (1, {})


@pytest.mark.parametrize("provider", ["mailgun", "resend"])
def test_asked_to_wait_we_wait_and_lose_nothing(start: Start, provider: str) -> None:
    stand_in = start(provider, "ok", "slow_down")
    began = asyncio.run(_timed(build(stand_in), outbox := EspOutbox(letters(12))))
    assert began >= 0.9
    assert outbox.of(Outcome.SENT) == list(range(1, 13))
    assert stand_in.taken == Counter(everyone(12))


async def _timed(transport: Any, outbox: EspOutbox) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while outbox.waiting:
        await transport.run(outbox)
    await transport.close()
    return loop.time() - began


def test_asked_to_wait_too_long_the_account_rests(start: Start) -> None:
    stand_in = start("postmark", "slow_down", retry_after="3600")
    outbox = carry(build(stand_in), letters(3))
    assert isinstance(outbox.failure, Unavailable)
    assert not outbox.failure.permanent
    assert "3600 seconds" in outbox.failure.message
    assert (outbox.results, len(stand_in.calls)) == ({}, 1)


@pytest.mark.parametrize("mood", ["lost", "broken", "late"])
@pytest.mark.parametrize("provider", [one for one in PROVIDERS if one not in WITH_KEYS])
def test_without_keys_an_answer_that_got_lost_is_doubt_and_never_a_second_call(
    start: Start, provider: str, mood: str
) -> None:
    stand_in = start(provider, "ok", mood)
    transport = build(stand_in, max_connections=1, batch_size=1, deadline_s=1.0)
    outbox = carry(transport, letters(4))
    (doubtful,) = outbox.of(Outcome.IN_DOUBT)
    assert outbox.results[doubtful].safe_until == 0
    assert outbox.of(Outcome.SENT) == [number for number in range(1, 5) if number != doubtful]
    assert max(stand_in.taken.values()) == 1
    assert stand_in.taken[str(doubtful)] == (0 if mood == "broken" else 1)


@pytest.mark.parametrize("mood", ["lost", "broken", "late", "drop"])
@pytest.mark.parametrize("provider", WITH_KEYS)
def test_with_keys_an_answer_that_got_lost_is_asked_for_again_and_sends_nothing_twice(
    start: Start, provider: str, mood: str
) -> None:
    stand_in = start(provider, "ok", mood)
    outbox = carry(build(stand_in, max_connections=1, deadline_s=1.0), letters(4))
    assert outbox.of(Outcome.SENT) == [1, 2, 3, 4]
    assert stand_in.taken == Counter(everyone(4))


@pytest.mark.parametrize("provider", WITH_KEYS)
def test_doubt_that_lasts_says_until_when_it_is_harmless_to_ask_again(start: Start, provider: str) -> None:
    stand_in = start(provider, "ok", "lost", "broken", "broken")
    outbox = carry(build(stand_in, max_connections=1), letters(3))
    (doubtful,) = outbox.of(Outcome.IN_DOUBT)
    lifetime = {"resend": 24 * 3600 - 300, "brevo": 30 * 60 - 300}[provider]
    assert 0 < outbox.results[doubtful].safe_until - time.time() <= lifetime
    # Hours later, another process, another Date: the same key, and no second copy.
    again = carry(build(stand_in), [letter(doubtful)])
    assert again.of(Outcome.SENT) == [doubtful]
    assert stand_in.taken[str(doubtful)] == 1


@pytest.mark.parametrize("provider", WITH_KEYS)
def test_a_key_used_with_another_payload_means_that_the_message_was_taken(start: Start, provider: str) -> None:
    stand_in = start(provider)
    carry(build(stand_in), [letter(7)])
    outbox = carry(build(stand_in), [letter(7, extra="X-Other: yes\r\n")])
    assert outbox.of(Outcome.SENT) == [7]
    assert outbox.results[7].text == "The provider had taken it before."
    assert stand_in.taken["7"] == 1


def test_a_provider_that_gives_no_clear_answer_rests_after_three_calls(start: Start) -> None:
    stand_in = start("postmark", *["broken"] * 20)
    outbox = carry(build(stand_in, batch_size=1, max_connections=1), letters(10))
    assert isinstance(outbox.failure, Unavailable)
    assert (len(outbox.of(Outcome.IN_DOUBT)), len(stand_in.calls)) == (3, 3)


def test_a_provider_that_is_not_there_costs_nothing(start: Start) -> None:
    stand_in = start("sendgrid")
    transport = build(stand_in)
    stand_in.stop()
    outbox = carry(transport, letters(5))
    assert isinstance(outbox.failure, Unavailable)
    assert not outbox.failure.permanent
    assert outbox.results == {}


@pytest.mark.parametrize("provider", BATCHING)
def test_many_messages_go_in_one_call(start: Start, provider: str) -> None:
    stand_in = start(provider)
    outbox = carry(build(stand_in, batch_size=50, max_connections=2), letters(120))
    assert outbox.of(Outcome.SENT) == list(range(1, 121))
    assert stand_in.taken == Counter(everyone(120))
    assert len(stand_in.calls) <= 4


@pytest.mark.parametrize("provider", BATCHING)
def test_a_batch_refused_as_a_whole_is_sent_one_by_one(start: Start, provider: str) -> None:
    stand_in = start(provider, "invalid", "ok", "invalid")
    outbox = carry(build(stand_in, batch_size=10, max_connections=1), letters(5), keeps_back=False)
    assert (len(outbox.of(Outcome.SENT)), len(outbox.of(Outcome.FAILED))) == (4, 1)
    assert len(stand_in.calls) == 6


def test_postmark_judges_each_message_of_a_batch(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = start("postmark")
    said = [
        {"ErrorCode": 0, "Message": "OK", "MessageID": "a"},
        {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."},
        {"ErrorCode": 300, "Message": "Invalid 'To' address: 'x'."},
    ]
    monkeypatch.setattr(stand_in.dialect, "yes", lambda call, ids: (200, {}, said))
    outbox = carry(build(stand_in, batch_size=50), letters(3))
    assert [outbox.results[number].outcome for number in (1, 2, 3)] == [Outcome.SENT, Outcome.FAILED, Outcome.FAILED]
    assert "inactive" in outbox.results[2].text


def test_resend_says_which_of_a_batch_are_bad(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = start("resend")
    said = {"data": [{"id": "a"}, {"id": "c"}], "errors": [{"index": 1, "message": "Bad address."}]}
    monkeypatch.setattr(stand_in.dialect, "yes", lambda call, ids: (200, {}, said))
    outbox = carry(build(stand_in, batch_size=50), letters(3))
    assert [outbox.results[number].provider_id for number in (1, 2, 3)] == ["a", "", "c"]
    assert outbox.results[2].text == "Bad address."
    assert stand_in.calls[0].headers["x-batch-validation"] == "permissive"


def test_a_quota_used_up_lets_the_account_rest_but_not_for_good(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = start("resend")
    full = (429, {}, {"name": "daily_quota_exceeded", "message": "You have reached your daily quota."})
    monkeypatch.setattr(stand_in.dialect, "yes", lambda call, ids: full)
    outbox = carry(build(stand_in), letters(3))
    assert isinstance(outbox.failure, Unavailable)
    assert (outbox.failure.permanent, outbox.results) == (False, {})


def test_no_more_calls_run_at_once_than_the_account_may_make(start: Start) -> None:
    stand_in = start("sendgrid", delay_s=0.05)
    carry(build(stand_in, max_connections=3), letters(20))
    assert stand_in.most_at_once == 3


def test_a_message_that_must_not_leave_any_more_does_not(start: Start) -> None:
    stand_in = start("resend")
    outbox = EspOutbox(letters(6), keeps_back=True)
    outbox.refuses = lambda envelope: envelope.message_id % 2 == 0
    asyncio.run(_run(build(stand_in), outbox))
    assert stand_in.taken == Counter({"1": 1, "3": 1, "5": 1})
    assert dict(outbox.given_back) == {2: 1, 4: 1, 6: 1}


async def _run(transport: EspTransport, outbox: EspOutbox) -> None:
    try:
        await transport.run(outbox)
    finally:
        await transport.close()


def test_stopped_in_the_middle_of_a_call_the_message_is_in_doubt(start: Start) -> None:
    stand_in = start("postmark", *["late"] * 9)
    outbox = EspOutbox(letters(3), keeps_back=True)

    async def cut() -> None:
        transport = build(stand_in, batch_size=1)
        task = asyncio.create_task(transport.run(outbox))
        while not stand_in.calls:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await transport.close()

    asyncio.run(cut())
    outbox.check()
    assert outbox.of(Outcome.IN_DOUBT) == [1]


def test_an_account_may_not_lead_inside_our_own_network(start: Start) -> None:
    stand_in = start("mailgun")
    outbox = carry(build_esp_transport(profile=profile("mailgun", stand_in.url)), letters(2))
    assert isinstance(outbox.failure, Unavailable)
    assert outbox.failure.permanent
    assert stand_in.calls == []


# What arrives at the provider.


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_the_reader_gets_is_what_was_composed(start: Start, provider: str) -> None:
    stand_in = start(provider)
    carry(build(stand_in), [letter(5)])
    (call,) = stand_in.calls
    said = call.body.decode() if provider not in ("ses", "mailgun") else _mime(stand_in).decode()
    for words in ("u5@example.net", "reply+5@in.example", "https://mail.example/u/5", "List-Unsubscribe=One-Click"):
        assert words in said
    assert "DKIM-Signature" not in said
    if provider not in ("ses", "mailgun"):
        text = json.dumps(json.loads(said), ensure_ascii=False)
        assert "Hällo 5\\nzwei" in text
        assert "<p>Hällo 5</p>" in text
        assert "Grüße 5" in text
        assert "Jörg" in text


def _mime(stand_in: StandIn) -> bytes:
    call = stand_in.calls[0]
    if isinstance(stand_in.dialect, MailgunDialect):
        return bytes(stand_in.dialect.form(call)["message"])
    return base64.b64decode(call.json["Content"]["Raw"]["Data"])


ATTACHED = (
    b'Content-Type: multipart/mixed; boundary="mm"\r\n\r\n--mm\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
    b'--mm\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="a.pdf"\r\n\r\nJVBERi0=\r\n--mm--\r\n'
)
INLINE = (
    b'Content-Type: multipart/related; boundary="rr"\r\n\r\n--rr\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
    b'<img src="cid:logo">\r\n--rr\r\nContent-Type: image/png; name="l.png"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: inline; filename="l.png"\r\nContent-ID: <logo>\r\n\r\niVBORw0=\r\n--rr--\r\n'
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_attachments_travel(start: Start, provider: str) -> None:
    stand_in = start(provider)
    outbox = carry(build(stand_in), [letter(1, body=ATTACHED)])
    assert outbox.of(Outcome.SENT) == [1]
    said = _mime(stand_in) if provider in ("ses", "mailgun") else stand_in.calls[0].body
    assert b"JVBERi0=" in said
    assert b"a.pdf" in said


@pytest.mark.parametrize("provider", PROVIDERS)
def test_pictures_in_the_text_travel_or_are_refused_by_name(start: Start, provider: str) -> None:
    stand_in = start(provider)
    outbox = carry(build(stand_in), [letter(1, body=INLINE)])
    if provider == "brevo":
        assert outbox.results[1].outcome is Outcome.FAILED
        assert outbox.results[1].text == "Brevo does not support inline attachments"
        assert stand_in.calls == []
        return
    assert outbox.of(Outcome.SENT) == [1]
    said = _mime(stand_in) if provider in ("ses", "mailgun") else stand_in.calls[0].body
    assert b"iVBORw0=" in said
    assert b"logo" in said


def test_blind_copies_reach_the_provider_as_such(start: Start) -> None:
    stand_in = start("postmark")
    one = letter(1)
    carry(build(stand_in), [one._replace(recipients=(*one.recipients, "blind@example.net"))])
    assert stand_in.calls[0].json["Bcc"] == "blind@example.net"
    assert stand_in.calls[0].json["To"] == "u1@example.net"


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("postmark", {"TrackOpens": False, "TrackLinks": "None"}),
        ("mailjet", {"TrackOpens": "disabled", "TrackClicks": "disabled"}),
        ("mailersend", {"settings": {"track_opens": False, "track_clicks": False}}),
        (
            "sendgrid",
            {"tracking_settings": {"open_tracking": {"enable": False}, "click_tracking": {"enable": False}}},
        ),
    ],
)
def test_the_provider_adds_no_tracking_of_its_own(start: Start, provider: str, path: dict[str, Any]) -> None:
    stand_in = start(provider)
    carry(build(stand_in, batch_size=1), [letter(1)])
    said = stand_in.calls[0].json
    said = said["Messages"][0] if provider == "mailjet" else said
    assert {name: said[name] for name in path} == path


def test_the_key_is_the_message_id_and_fits(start: Start) -> None:
    stand_in = start("resend")
    carry(build(stand_in), [letter(4)])
    assert stand_in.calls[0].headers["idempotency-key"] == "4@news.example"


def test_amazons_signature_is_the_one_amazon_would_compute(start: Start) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    stand_in = start("ses")
    carry(build(stand_in, region="eu-central-1"), [letter(1)])
    (call,) = stand_in.calls
    assert "/eu-central-1/ses/aws4_request" in call.headers["authorization"]
    signed = call.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest("POST", stand_in.url.rstrip("/") + call.path, data=call.body)
    for name in signed:
        request.headers[name] = call.headers[name]
    request.context["timestamp"] = call.headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIAGOOD", "sesame"), "ses", "eu-central-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert call.headers["authorization"].endswith(signature)


def test_what_a_provider_says_has_no_characters_that_nobody_can_keep() -> None:
    said = json.dumps({"message": "half a smile \ud83d,\0 two\nlines"}).encode()
    assert words_of(Reply(401, {}, said)) == "HTTP 401: half a smile , two lines"
