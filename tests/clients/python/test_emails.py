"""E-mail by the client: sent, in batches, once by key, looked up, moved, cancelled."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from conftest import FACTS, make_client, until
from usesend import UseSend

LETTER: dict[str, Any] = {
    "to": "ann@example.com",
    "from": "Shop <shop@acme.example>",
    "subject": "Your order",
    "html": "<p>Thanks!</p>",
}


def send(client: UseSend, **changes: Any) -> str:
    data, error = client.emails.send({**LETTER, **changes})
    assert error is None
    assert set(data) == {"emailId"}
    return data["emailId"]


def statuses(client: UseSend, email: str) -> list[str]:
    data, error = client.emails.get(email)
    assert error is None
    return [event["status"] for event in data["emailEvents"]]


def test_a_letter_is_sent_and_delivered(client: UseSend) -> None:
    email = send(
        client,
        to=["Ann <ann@example.com>", "bob@example.com"],
        cc="carol@example.com",
        bcc=["dan@example.com"],
        replyTo="Help <help@acme.example>",
        text="Thanks!",
        headers={"X-Order": "17"},
        attachments=[{"filename": "bill.pdf", "content": b64encode(b"%PDF-1.7 bill").decode()}],
    )
    assert until(lambda: "DELIVERED" in statuses(client, email))
    data, _ = client.emails.get(email)
    assert (data["id"], data["teamId"]) == (email, FACTS["team"])
    assert (data["subject"], data["from"]) == ("Your order", "Shop <shop@acme.example>")
    assert "Thanks!" in data["html"]
    assert data["text"] == "Thanks!"
    assert [event["emailId"] for event in data["emailEvents"]] == [email] * len(data["emailEvents"])
    assert datetime.fromisoformat(data["createdAt"]) <= datetime.fromisoformat(data["updatedAt"])


def test_from_may_be_written_with_an_underscore(client: UseSend) -> None:
    letter = {name: value for name, value in LETTER.items() if name != "from"}
    for data, error in (
        client.emails.create({**letter, "from_": "shop@acme.example"}),
        client.emails.batch([{**letter, "from_": "shop@acme.example"}]),
    ):
        assert error is None
        assert data
    email, _ = client.emails.get(data["data"][0]["emailId"])
    assert email["from"] == "shop@acme.example"


def test_times_may_have_an_offset_or_none(client: UseSend) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    times = (later, later.replace(tzinfo=None), later.isoformat(), later.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    for at in times:
        email = send(client, scheduledAt=at)
        assert statuses(client, email) in ([], ["SCHEDULED"])
        for moved in (later + timedelta(hours=1), (later + timedelta(hours=2)).replace(tzinfo=None)):
            data, error = client.emails.update(email, {"scheduledAt": moved})
            assert (data, error) == ({"emailId": email}, None)
        assert client.emails.cancel(email) == ({"emailId": email}, None)
    data, error = client.emails.batch([{**LETTER, "scheduledAt": at} for at in times])
    assert error is None
    for entry in data["data"]:
        assert client.emails.cancel(entry["emailId"])[1] is None


def test_a_scheduled_letter_is_moved_and_cancelled_once(client: UseSend) -> None:
    email = send(client, scheduledAt=datetime.now(UTC) + timedelta(days=1))
    assert client.emails.cancel(email) == ({"emailId": email}, None)
    assert statuses(client, email)[-1] == "CANCELLED"
    processed = {"code": "BAD_REQUEST", "message": "Email already processed"}
    assert client.emails.cancel(email) == (None, processed)
    assert client.emails.update(email, {"scheduledAt": datetime.now(UTC)}) == (None, processed)


def test_a_letter_moved_into_the_past_goes_at_once(client: UseSend) -> None:
    email = send(client, scheduledAt=datetime.now(UTC) + timedelta(days=1))
    assert client.emails.update(email, {"scheduledAt": datetime.now(UTC) - timedelta(hours=1)})[1] is None
    assert until(lambda: "DELIVERED" in statuses(client, email))


def test_a_batch_has_an_id_for_each_entry_in_order(client: UseSend) -> None:
    letters = [{**LETTER, "subject": f"Letter {number}"} for number in range(100)]
    data, error = client.emails.batch(letters)
    assert error is None
    ids = [entry["emailId"] for entry in data["data"]]
    assert len(set(ids)) == 100
    for number in (0, 50, 99):
        assert client.emails.get(ids[number])[0]["subject"] == f"Letter {number}"


def test_a_key_makes_a_repeat_safe_and_a_change_a_conflict(client: UseSend) -> None:
    once = {"idempotency_key": "python-order-1"}
    first = client.emails.send(LETTER, once)
    assert client.emails.send(dict(reversed(LETTER.items())), once) == first
    data, error = client.emails.send({**LETTER, "subject": "Other"}, once)
    assert data is None
    assert error == {"code": "NOT_UNIQUE", "message": "Idempotency-Key already used with a different payload"}
    batch = client.emails.batch([LETTER, LETTER], {"idempotency_key": "python-order-2"})
    assert client.emails.batch([LETTER, LETTER], {"idempotency_key": "python-order-2"}) == batch
    assert client.emails.batch([LETTER, LETTER], once)[1]["code"] == "NOT_UNIQUE"


def test_an_answer_to_a_letter_is_threaded(client: UseSend) -> None:
    first = send(client)
    assert until(lambda: "SENT" in statuses(client, first))
    answer = send(client, inReplyToId=first, subject="Re: Your order")
    assert until(lambda: "SENT" in statuses(client, answer))
    error = client.emails.send({**LETTER, "inReplyToId": "0" * 32})[1]
    assert error == {"code": "BAD_REQUEST", "message": '"inReplyTo" is invalid'}


def test_base_addresses_may_end_in_a_slash() -> None:
    for ending in ("/", "//"):
        client = make_client(url=FACTS["url"] + ending)
        email = send(client)
        assert client.emails.get(email)[0]["id"] == email
        assert client.contact_books.list()[1] is None
