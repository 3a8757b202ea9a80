"""Domains, sender accounts and templates."""

from dataclasses import replace

import pytest

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.errors import (
    BadAddress,
    BadComposition,
    BadDomain,
    BadSender,
    MailNameTaken,
    NoSuchDomain,
    NoSuchSender,
    NoSuchTemplate,
)
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.types import Composition, KeyAlgorithm, NewSender, NewTemplate, Provider
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.errors import AppError
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

SERVER = {"host": "mail.example.com", "port": 587, "security": "starttls"}
NEW = NewSender(
    name="Desk",
    provider=Provider.SMTP,
    from_email="desk@example.com",
    from_name="The Desk",
    config=SERVER,
    credentials={"username": "me", "password": "open sesame"},
)


def test_a_domain_has_keys_of_its_own_and_keeps_the_private_halves_encrypted() -> None:
    workspace = make_workspace()
    domain = mail.create_domain(workspace=workspace, name="Münster.Example.", actor=SYSTEM, now=NOW)
    assert domain.name == "xn--mnster-3ya.example"
    keys = {key.algorithm: key for key in selectors.list_keys(domain=domain)}
    assert all(key.private and "PRIVATE" not in key.private for key in keys.values())
    records = {record.name: record.value for record in selectors.dns_records(domain=domain)}
    assert f"p={keys['rsa'].public}" in records["postroom._domainkey.xn--mnster-3ya.example"]
    assert "k=ed25519" in records["postroom-ed._domainkey.xn--mnster-3ya.example"]
    with pytest.raises(MailNameTaken):
        mail.create_domain(workspace=workspace, name="münster.example", actor=SYSTEM, now=NOW)


@pytest.mark.parametrize(
    "name", ["", "localhost", "a b.example", "-a.example", "a..example", "x" * 64 + ".example", "☃.☃."]
)
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(BadDomain):
        mail.create_domain(workspace=make_workspace(), name=name, actor=SYSTEM, now=NOW)


def test_a_sender_s_secrets_are_encrypted_and_only_the_sender_process_opens_them() -> None:
    workspace = make_workspace()
    domain = mail.create_domain(workspace=workspace, name="example.com", actor=SYSTEM, now=NOW)
    sender = mail.create_sender(workspace=workspace, new=replace(NEW, domain_id=domain.pk), actor=SYSTEM, now=NOW)
    assert "sesame" not in sender.credentials
    profile = selectors.load_sender_profile(sender_id=sender.pk)
    assert profile.credentials == {"username": "me", "password": "open sesame"}
    assert [(key.selector, key.algorithm) for key in profile.keys] == [("postroom", KeyAlgorithm.RSA)]
    assert profile.keys[0].pem.startswith("-----BEGIN PRIVATE KEY-----")
    assert profile.config == SERVER


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, BadSender),
        ({"from_email": "nobody"}, BadAddress),
        ({"from_name": "A\r\nBcc: b@example.com"}, BadAddress),
        ({"reply_to": "x"}, BadAddress),
        ({"config": {}}, BadSender),
        ({"config": SERVER | {"port": 0}}, BadSender),
        ({"config": SERVER | {"port": True}}, BadSender),
        ({"config": SERVER | {"security": "maybe"}}, BadSender),
        ({"config": SERVER | {"max_connections": 1000}}, BadSender),
        ({"daily_limit": 0}, BadSender),
        ({"domain_id": 999_999}, NoSuchDomain),
    ],
)
def test_a_sender_that_could_not_work_is_refused(changes: dict[str, object], error: type[AppError]) -> None:
    with pytest.raises(error):
        mail.create_sender(
            workspace=make_workspace(),
            new=replace(NEW, **changes),
            actor=SYSTEM,
            now=NOW,  # type: ignore[arg-type]
        )
    assert not SenderAccount.objects.exists()


def test_a_sender_needs_a_domain_of_its_address_and_workspace() -> None:
    workspace = make_workspace()
    other = mail.create_domain(workspace=workspace, name="other.example", actor=SYSTEM, now=NOW)
    with pytest.raises(BadSender, match=r"other\.example"):
        mail.create_sender(workspace=workspace, new=replace(NEW, domain_id=other.pk), actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchDomain):
        mail.create_sender(workspace=make_workspace(), new=replace(NEW, domain_id=other.pk), actor=SYSTEM, now=NOW)


def test_the_sandbox_account_is_made_once_and_leads_to_our_own_listener() -> None:
    workspace = make_workspace()
    first = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    assert mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW) == first
    config = selectors.load_sender_profile(sender_id=first.pk).config
    assert set(config) == {"host", "port"}
    with pytest.raises(NoSuchSender):
        selectors.get_sender(workspace=make_workspace(), sender_id=first.pk)


def test_a_template_counts_its_versions_and_must_compile() -> None:
    workspace = make_workspace()
    good = Composition(subject="Hi", body="<p>Hi {{ first_name }}</p>")
    template = mail.create_template(workspace=workspace, new=NewTemplate("Hello", good), actor=SYSTEM, now=NOW)
    changed = mail.update_template(
        workspace=workspace, template_id=template.pk, name="Hello", composition=good, actor=SYSTEM, now=NOW
    )
    assert changed.version == 2
    with pytest.raises(MailNameTaken):
        mail.create_template(workspace=workspace, new=NewTemplate("Hello", good), actor=SYSTEM, now=NOW)
    bad = Composition(subject="Hi", body='<a href="javascript:x()">x</a>')
    with pytest.raises(BadComposition):
        mail.create_template(workspace=workspace, new=NewTemplate("Bad", bad), actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchTemplate):
        selectors.get_template(workspace=make_workspace(), template_id=template.pk)
