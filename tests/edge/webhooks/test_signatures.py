"""W9: webhooks forged in every way are refused, genuine ones are not."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from postroom.core.mail.types import Provider, WebhookAccount
from postroom.edge.webhooks.signatures import Call, Forged, check_signature
from tests.stand_ins.webhooks import (
    CERTIFICATE_URL,
    SECRET,
    SIGNED,
    Webhook,
    certificate,
    event_of,
    settings_of,
    webhook_of,
)

AT = 1_790_000_000
OTHER_SECRET = "whsec_" + base64.b64encode(b"another secret, of another account").decode()


def account(provider: str, **changes: Any) -> WebhookAccount:
    config, credentials = settings_of(provider)
    fields = {"config": config, "credentials": credentials, **changes}
    return WebhookAccount(sender_id=1, provider=Provider(provider), password="", **fields)


def check(provider: str, webhook: Webhook, *, later_s: float = 0, is_inbound: bool = False, **changes: Any) -> str:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return certificate()

    now = datetime.fromtimestamp(AT + later_s, UTC)
    call = Call(webhook.headers, webhook.body, is_inbound, now)
    try:
        return check_signature(account(provider, **changes), call, fetch)
    finally:
        assert set(asked) <= {CERTIFICATE_URL}


def genuine(provider: str, **options: Any) -> Webhook:
    return webhook_of(provider, event_of(provider, 7, at=AT), at=AT, **options)


@pytest.mark.parametrize("provider", SIGNED)
def test_genuine_webhooks_are_believed(provider: str) -> None:
    check(provider, genuine(provider))


@pytest.mark.parametrize("provider", SIGNED)
def test_one_octet_more_or_less_is_a_forgery(provider: str) -> None:
    if provider == "mailgun":  # its signature does not cover the body; the table of used tokens stands in for it
        return
    for change in (lambda body: body[1:], lambda body: body[:-1], lambda body: body.replace(b"7", b"8", 1)):
        webhook = genuine(provider)
        webhook.body = change(webhook.body)
        with pytest.raises(Forged):
            check(provider, webhook)


@pytest.mark.parametrize("provider", SIGNED)
def test_without_a_signature_nothing_is_believed(provider: str) -> None:
    for headers in ({}, dict.fromkeys(genuine(provider).headers, ""), dict.fromkeys(genuine(provider).headers, "v1,")):
        webhook = genuine(provider)
        if provider == "mailgun":
            said = json.loads(webhook.body)
            said["signature"] = headers
            webhook.body = json.dumps(said).encode()
        elif provider == "ses":
            said = json.loads(webhook.body)
            said["Signature"] = ""
            webhook.body = json.dumps(said).encode()
        else:
            webhook.headers = headers
        with pytest.raises(Forged):
            check(provider, webhook)


@pytest.mark.parametrize("provider", ["resend", "mailersend", "mailgun"])
def test_the_secret_of_another_account_opens_nothing(provider: str) -> None:
    with pytest.raises(Forged):
        check(provider, genuine(provider, secret=OTHER_SECRET))


@pytest.mark.parametrize("provider", ["resend", "mailersend", "mailgun"])
def test_an_account_without_a_secret_believes_nothing(provider: str) -> None:
    for credentials in ({}, {"webhook_secret": ""}):
        with pytest.raises(Forged):
            check(provider, genuine(provider, secret="whsec_"), credentials=credentials)


@pytest.mark.parametrize(("provider", "window"), [("resend", 300), ("mailgun", 86_400), ("sendgrid", 86_400)])
def test_the_time_of_a_signature_counts(provider: str, window: int) -> None:
    for late in (window - 1, 1 - window):
        check(provider, genuine(provider), later_s=late)
    for late in (window + 1, -window - 1):
        with pytest.raises(Forged):
            check(provider, genuine(provider), later_s=late)


def test_a_token_that_no_table_can_hold_is_refused_before_it_comes_to_one() -> None:
    check("mailgun", genuine("mailgun", token="a" * 50))
    for token in ("a\0b", "a\u00e9b", "a" * 151):
        with pytest.raises(Forged):
            check("mailgun", genuine("mailgun", token=token))


def test_resend_may_sign_with_two_secrets_at_once() -> None:
    webhook = genuine("resend")
    webhook.headers["svix-signature"] = f"v1,AAAA v2,BBBB {webhook.headers['svix-signature']}"
    assert check("resend", webhook) == f"svix:{webhook.headers['svix-id']}"


def test_sendgrids_key_is_the_accounts_own() -> None:
    with pytest.raises(Forged):
        check("sendgrid", genuine("sendgrid", key=ec.generate_private_key(ec.SECP256R1())))
    for stored in ("", "bm90IGEga2V5", "%%%"):
        with pytest.raises(Forged):
            check("sendgrid", genuine("sendgrid"), config={"webhook_key": stored})


def test_mail_coming_in_at_mailersend_has_a_secret_of_its_own() -> None:
    with pytest.raises(Forged):
        check("mailersend", genuine("mailersend"), is_inbound=True)
    check("mailersend", genuine("mailersend", secret="inbound" + SECRET), is_inbound=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/cert.pem",
        "http://sns.eu-central-1.amazonaws.com/cert.pem",
        "https://sns.eu-central-1.amazonaws.com.example.com/cert.pem",
        "https://sns.eu-central-1.amazonaws.com@example.com/cert.pem",
        "https://user:pw@sns.eu-central-1.amazonaws.com/cert.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/cert.pem",
        "https://s3.amazonaws.com/sns.eu-central-1.amazonaws.com/cert.pem",
        "https://evil.sns.eu-central-1.amazonaws.com/cert.pem",
        "https://sns..amazonaws.com/cert.pem",
        "https://sns.eu-central-1.amazonaws.com/cert.exe",
        "file:///etc/ssl/cert.pem",
    ],
)
def test_amazons_certificate_comes_from_amazon(url: str) -> None:
    with pytest.raises(Forged):
        check("ses", genuine("ses", url=url))


def test_somebody_elses_topic_is_not_ours() -> None:
    with pytest.raises(Forged):
        check("ses", genuine("ses", topic="arn:aws:sns:eu-central-1:999999999999:evil"))
    for config in ({}, {"topic_arn": ""}):
        with pytest.raises(Forged):
            check("ses", genuine("ses"), config=config)


def test_rubbish_is_refused_and_never_breaks_the_check() -> None:
    bodies = (
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"signature": []}',
        b'{"Type": []}',
    )
    for provider in SIGNED:
        for body in bodies:
            for headers in (
                {},
                {"content-type": "application/json"},
                {"content-type": "multipart/form-data; boundary=x"},
            ):
                with pytest.raises(Forged):
                    check(provider, Webhook(body, headers))


def test_every_provider_is_either_signed_or_keyed() -> None:
    from postroom.core.mail.rules.providers import SETTINGS
    from postroom.edge.webhooks.signatures import needs_password

    keyed = {one for one in SETTINGS if needs_password(one, is_inbound=False)}
    assert {Provider(one) for one in SIGNED} | keyed == set(SETTINGS)
    assert not {Provider(one) for one in SIGNED} & keyed
