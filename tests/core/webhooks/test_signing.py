"""Signatures are those of the reference implementation, and secrets change without a gap: W3, W4."""

import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from postroom.core.webhooks import services
from postroom.core.webhooks.rules import signing
from postroom.core.webhooks.selectors import reveal_secret
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.core.webhooks.making import make_endpoint, tell, turn
from tests.factories import make_workspace


def test_w3_our_signature_is_the_references_for_a_thousand_random_bodies() -> None:
    chance = random.Random(3)
    for _ in range(1000):
        secret, call_id = signing.make_secret(), os.urandom(16).hex()
        body = "".join(chance.choices("aé{}\"' \n🙂\\x", k=chance.randrange(200)))
        at = datetime.fromtimestamp(chance.uniform(1e9, 2e9), UTC)
        assert signing.sign(secret, call_id, at, body.encode()) == Webhook(secret).sign(call_id, at, body)


def test_w3_a_wrong_secret_body_or_id_is_refused_and_so_is_a_stamp_of_five_minutes() -> None:
    secret, body = signing.make_secret(), b'{"type":"email.sent"}'
    now = datetime.now(UTC)
    headers = dict(signing.standard_headers([secret], "call", now, body))
    Webhook(secret).verify(body, headers)
    for wrong_secret, wrong_body, change in (
        (signing.make_secret(), body, {}),
        (secret, body + b" ", {}),
        (secret, body, {"webhook-id": "other"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong_secret).verify(wrong_body, headers | change)
    for seconds, is_good in ((299, True), (-299, True), (302, False), (-302, False)):
        stamped = dict(signing.standard_headers([secret], "call", now + timedelta(seconds=seconds), body))
        if is_good:
            Webhook(secret).verify(body, stamped)
        else:
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(body, stamped)


def test_a_secret_of_ones_own_is_decoded_where_it_is_base64_and_taken_as_it_is_where_it_is_not() -> None:
    now = datetime.now(UTC)
    encoded = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert signing.sign(encoded, "a", now, b"b") == Webhook(encoded).sign("a", now, "b")
    plain = "a secret with blanks!"
    assert signing.sign(plain, "a", now, b"b") == Webhook(plain.encode()).sign("a", now, "b")


@pytest.mark.django_db
def test_w4_for_a_day_both_secrets_sign_and_then_only_the_new_one() -> None:
    room, now = make_workspace(), clock.now()
    endpoint = make_endpoint(workspace=room, now=now)
    old = reveal_secret(endpoint)
    endpoint = services.rotate_secret(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=now)
    new = reveal_secret(endpoint)
    assert old != new
    tell(room, now=now)
    [delivery] = turn(now=now)
    for secret in (old, new):
        Webhook(secret).verify(delivery.body, dict(delivery.headers))
    tomorrow = now + timedelta(hours=24, seconds=40)
    [later] = turn(now=tomorrow)
    assert len(delivery.headers["webhook-signature"].split()) == 2
    assert later.headers["webhook-signature"] == signing.sign(new, later.uid.hex, tomorrow, later.body)


@pytest.mark.django_db
def test_w4_a_secret_of_ones_own_may_follow() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room, secret="first secret of mine")
    assert reveal_secret(endpoint) == "first secret of mine"
    assert "first secret" not in endpoint.secret
    endpoint = services.rotate_secret(
        workspace=room, uid=endpoint.uid, actor=SYSTEM, now=clock.now(), secret="second secret of mine"
    )
    assert reveal_secret(endpoint) == "second secret of mine"
