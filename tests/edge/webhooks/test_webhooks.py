"""Webhooks through the real front door: stored before they are answered, read once, replayed when they broke."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from postroom.core.contacts.models import Suppression
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.errors import NoSuchProviderEvent
from postroom.core.mail.models import (
    DeliveryEvent,
    InboundMessage,
    Message,
    ProviderContact,
    ProviderEvent,
    SenderAccount,
    StoredHit,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.providers.esp import EspReports
from tests.edge.front_door import FrontDoor
from tests.factories import make_workspace
from tests.ledger import make_message
from tests.stand_ins.accounts import make_provider_sender
from tests.stand_ins.webhooks import KEYED, SECRET, Webhook, event_of, signature_block, webhook_of

pytestmark = pytest.mark.django_db(transaction=True)

PROVIDERS = ("resend", "mailersend", "mailgun", "sendgrid", *KEYED)
"""All whose webhooks can be verified without asking Amazon for its certificate."""


def password_of(sender: SenderAccount) -> str:
    account = selectors.find_webhook_account(uid=sender.uid)
    assert account is not None
    return account.password


def post(door: FrontDoor, sender: SenderAccount, webhook: Webhook, *, path: str = "") -> int:
    url = f"{door.url}/hooks/{sender.uid}/{sender.provider}/{path}"
    return int(httpx2.post(url, content=webhook.body, headers=webhook.headers).status_code)


def made(sender: SenderAccount, said: Any, **options: Any) -> Webhook:
    return webhook_of(sender.provider, said, password=password_of(sender), **options)


def mailed(workspace: Workspace, sender: SenderAccount) -> Message:
    message = make_message(workspace=workspace, sender=sender)
    message.to = [f"p{message.pk}@people.example"]
    message.delivered_at = None
    message.save()
    return message


def digest(now: datetime | None = None) -> None:
    """Do what the workers do by the clock."""
    now = now or clock.now()
    while mail.read_deliveries(reader=EspReports(), now=now):
        pass
    while mail.apply_hits(now=now + timedelta(seconds=1)):
        pass


@pytest.mark.parametrize("provider", PROVIDERS)
def test_w7_the_same_event_ten_times_and_again_after_a_week_is_one_change(door: FrontDoor, provider: str) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, provider)
    message = mailed(workspace, sender)
    said = event_of(provider, message.pk, "bounced", serial="once")
    for _ in range(9):  # signed anew each time, as providers do when they try again
        assert post(door, sender, made(sender, said)) == 200
    again = made(sender, said)
    assert post(door, sender, again) == 200
    assert post(door, sender, again) == 200  # and the very same octets once more
    digest()
    before = Message.objects.values().get(pk=message.pk)
    assert before["bounced_at"] is not None
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 1
    assert Suppression.objects.count() == 1

    later = clock.now() + timedelta(days=7)
    while mail.forget_deliveries(now=later):
        pass
    assert ProviderEvent.objects.count() == 0
    assert post(door, sender, made(sender, said)) == 200
    digest(later)
    assert Message.objects.values().get(pk=message.pk) == before
    assert DeliveryEvent.objects.filter(message_id=message.pk).count() == 1
    assert (Suppression.objects.count(), StoredHit.objects.count()) == (1, 0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_says_delivered_bounced_and_complained(door: FrontDoor, provider: str) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, provider)
    messages = {what: mailed(workspace, sender) for what in ("delivered", "bounced", "complained")}
    for what, message in messages.items():
        assert post(door, sender, made(sender, event_of(provider, message.pk, what, serial=what))) == 200
    digest()
    for message in messages.values():
        message.refresh_from_db()
    assert messages["delivered"].delivered_at is not None
    assert messages["bounced"].bounced_at is not None
    assert messages["complained"].complained_at is not None
    emails = set(Suppression.objects.values_list("email", flat=True))
    assert emails == {messages["bounced"].to[0], messages["complained"].to[0]}
    assert ProviderContact.objects.get(sender=sender).last_event_at is not None
    assert not ProviderEvent.objects.exclude(body=b"").exists()  # what was read names people no more


@pytest.mark.parametrize("provider", PROVIDERS)
def test_w9_forgeries_are_refused_and_leave_no_row(door: FrontDoor, provider: str) -> None:
    workspace, stranger = make_workspace(), make_workspace()
    sender, other = make_provider_sender(workspace, provider), make_provider_sender(stranger, provider)
    said = event_of(provider, 7)
    genuine = made(sender, said)
    if provider in KEYED:
        wrong = [
            {},
            *({"authorization": value} for value in ("Basic", "Basic !!", "Bearer x", _basic("x"), _basic(""))),
        ]
        forged = [Webhook(genuine.body, headers) for headers in wrong]
        forged.append(webhook_of(provider, said, password=password_of(other)))  # another account's
    elif provider == "mailgun":
        forged = [Webhook(json.dumps({"event-data": said}).encode(), {"content-type": "application/json"})]
        for block in (signature_block(time.time(), "t", "other"), signature_block(time.time() - 90_000, "t"), {}):
            body = json.dumps({"signature": block, "event-data": said}).encode()
            forged.append(Webhook(body, {"content-type": "application/json"}))
    else:
        forged = [Webhook(genuine.body), Webhook(genuine.body + b" ", genuine.headers)]
        forged += [Webhook(genuine.body, {name: f"x{value}" for name, value in genuine.headers.items()})]
    for webhook in forged:
        assert post(door, sender, webhook) in (401, 403)
    for url in (
        f"/hooks/{uuid4()}/{provider}/",
        f"/hooks/{sender.uid}/smtp/",
        f"/hooks/{sender.uid}/{'ses' if provider != 'ses' else 'resend'}/",
        f"/hooks/{sender.uid}/{provider}/other/",
        f"/hooks/{sender.uid}/",
        "/hooks/",
        f"/hooks/nonsense/{provider}/",
    ):
        assert httpx2.post(f"{door.url}{url}", content=genuine.body, headers=genuine.headers).status_code == 404
    assert httpx2.get(f"{door.url}/hooks/{sender.uid}/{provider}/").status_code == 405
    assert ProviderEvent.objects.count() == 0


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"postroom:{password}".encode()).decode()


def test_w9_a_token_of_mailgun_used_again_with_another_body_is_refused(door: FrontDoor) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "mailgun")
    first, second = mailed(workspace, sender), mailed(workspace, sender)
    at = time.time()
    genuine = made(sender, event_of("mailgun", first.pk, "delivered"), token="t" * 50, at=at)
    assert post(door, sender, genuine) == 200
    forged = made(sender, event_of("mailgun", second.pk, "complained", serial="evil"), token="t" * 50, at=at)
    assert post(door, sender, forged) == 403
    # Both at once, in one commit: one of them is kept.
    at_once = [made(sender, event_of("mailgun", second.pk, what), token="u" * 50, at=at) for what in ("x", "y")]
    answers: list[int] = []
    threads = [threading.Thread(target=lambda one=one: answers.append(post(door, sender, one))) for one in at_once]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 403]
    assert ProviderEvent.objects.count() == 2
    digest()
    second.refresh_from_db()
    assert second.complained_at is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_account_says_nothing_about_mail_of_another_workspace(door: FrontDoor, provider: str) -> None:
    ours, theirs = make_workspace(), make_workspace()
    sender = make_provider_sender(ours, provider)
    message = mailed(theirs, make_provider_sender(theirs, provider))
    assert post(door, sender, made(sender, event_of(provider, message.pk, "complained"))) == 200
    digest()
    message.refresh_from_db()
    assert (message.complained_at, Suppression.objects.count()) == (None, 0)
    assert not DeliveryEvent.objects.exists()


def test_w10_an_event_that_cannot_be_read_is_parked_and_replays(
    door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "postmark")
    broken, whole = mailed(workspace, sender), mailed(workspace, sender)
    for serial, message in enumerate((broken, whole)):
        assert (
            post(door, sender, made(sender, event_of("postmark", message.pk, "delivered", serial=str(serial)))) == 200
        )

    class Crashing(EspReports):
        def read(self, provider: Any, body: bytes, content_type: str, *, is_inbound: bool) -> Any:
            if f'"{broken.pk}"'.encode() in body:
                raise RuntimeError("the reader crashed")
            return super().read(provider, body, content_type, is_inbound=is_inbound)

    mail.read_deliveries(reader=Crashing(), now=clock.now())
    digest()
    whole.refresh_from_db()
    assert whole.delivered_at is not None
    (parked,) = selectors.list_parked_events(sender=sender)
    assert parked.error == "RuntimeError: the reader crashed"
    with pytest.raises(NoSuchProviderEvent):
        mail.replay_event(workspace=make_workspace(), uid=parked.uid, actor=SYSTEM, now=clock.now())
    mail.replay_event(workspace=workspace, uid=parked.uid, actor=SYSTEM, now=clock.now())
    digest()
    broken.refresh_from_db()
    assert broken.delivered_at is not None
    assert selectors.count_parked_events(sender=sender) == 0


def test_bodies_of_the_wrong_shape_are_parked_and_hold_up_nobody(door: FrontDoor) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "brevo")
    message = mailed(workspace, sender)
    shapes = (b"", b"{", b"[]", b"{}", b"null", b"[1]", b"\x00", b'{"event": []}', b"[" * 100_000, b'{"event": "spam"}')
    for body in shapes:
        webhook = Webhook(body, {"authorization": _basic(password_of(sender))})
        assert post(door, sender, webhook) == 200
    assert post(door, sender, made(sender, event_of("brevo", message.pk, "delivered"))) == 200
    digest()
    message.refresh_from_db()
    assert message.delivered_at is not None
    assert selectors.count_parked_events(sender=sender) == len(shapes) - 1  # an empty list is a list of no events


def test_what_is_too_large_is_not_taken(door: FrontDoor) -> None:
    sender = make_provider_sender(make_workspace(), "postmark")
    webhook = Webhook(b"x" * (4 * 1024 * 1024 + 1), {"authorization": _basic(password_of(sender))})
    assert post(door, sender, webhook) == 413


def test_a_reader_who_leaves_at_the_provider_leaves_here(door: FrontDoor) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "mailgun")
    message = mailed(workspace, sender)
    assert post(door, sender, made(sender, {**event_of("mailgun", message.pk), "event": "unsubscribed"})) == 200
    digest()
    message.refresh_from_db()
    assert message.unsubscribed_at is not None


# Mail that comes in.

RAW = b"From: reader@people.example\r\nTo: reply@in.example\r\nSubject: Re: news\r\n\r\nThanks \xc3\xbc!\r\n"


def form(fields: Mapping[str, bytes]) -> tuple[bytes, str]:
    parts = [
        b'--bo\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--bo--\r\n", "multipart/form-data; boundary=bo"


def incoming(provider: str, password: str) -> Webhook:
    text = RAW.decode()
    if provider == "mailgun":
        block = {name: value.encode() for name, value in signature_block(time.time(), "in-token").items()}
        envelope = {"sender": b"reader@people.example", "recipient": b"reply@in.example"}
        body, content_type = form({**block, **envelope, "body-mime": RAW})
        return Webhook(body, {"content-type": content_type})
    if provider == "sendgrid":
        envelope_text = json.dumps({"from": "reader@people.example", "to": ["reply@in.example"]}).encode()
        body, content_type = form({"envelope": envelope_text, "email": RAW})
        return Webhook(body, {"content-type": content_type, "authorization": _basic(password)})
    if provider == "postmark":
        said: Any = {"From": "reader@people.example", "OriginalRecipient": "reply@in.example", "RawEmail": text}
        return webhook_of("postmark", said, password=password)
    people = {"rcptTo": [{"email": "reply@in.example"}]}
    said = {
        "type": "inbound.message",
        "data": {"sender": {"email": "reader@people.example"}, "recipients": people, "raw": text},
    }
    return webhook_of("mailersend", said, secret="inbound" + SECRET)


@pytest.mark.parametrize("provider", ["mailgun", "sendgrid", "postmark", "mailersend"])
def test_mail_that_comes_in_by_a_webhook_is_mail_like_any_other(door: FrontDoor, provider: str) -> None:
    sender = make_provider_sender(make_workspace(), provider)
    webhook = incoming(provider, password_of(sender))
    for _ in range(3):
        assert post(door, sender, webhook, path="inbound/") == 200
    digest()
    row = InboundMessage.objects.get()
    assert (row.mail_from, row.recipient) == ("reader@people.example", "reply@in.example")
    assert bytes(row.raw).strip() == RAW.strip()


def test_forged_mail_does_not_come_in(door: FrontDoor) -> None:
    for provider in ("mailgun", "sendgrid", "postmark", "mailersend"):
        sender = make_provider_sender(make_workspace(), provider)
        webhook = incoming(provider, "wrong")
        webhook.headers.pop("signature", None)
        webhook.body = webhook.body.replace(b"in-token", b"no-token")
        assert post(door, sender, webhook, path="inbound/") in (401, 403)
    assert ProviderEvent.objects.count() == 0
