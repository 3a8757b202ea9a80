"""D6 and D7: what bulk mail carries under its signature and other mail does not, and whom other mail still reaches."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Domain
from postroom.core.mail.ports import Envelope
from postroom.core.mail.rules import compose
from postroom.core.mail.types import (
    Composition,
    DomainTerms,
    Mailing,
    MessageClass,
    MessageStatus,
    NewMessage,
    NewSender,
    Outgoing,
    Provider,
    Signing,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.workers.sender.composer import Composer
from tests.dkim_reader import verify_all
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db
LETTER = Composition(subject="News", body='<p>Hello, <a href="https://example.com/news">read on</a>.</p>')
BULK_FIELDS = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Precedence")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


def make_sender(workspace: Workspace) -> tuple[int, dict[str, str]]:
    """Return an account that signs with both keys, and the records its keys are published in."""
    domain = mail.create_domain(workspace=workspace, name="news.example.org", actor=SYSTEM, now=NOW)
    terms = DomainTerms(Signing.BOTH, tracks_opens=True, tracks_clicks=True)
    domain = mail.update_domain(workspace=workspace, uid=domain.uid, terms=terms, actor=SYSTEM, now=NOW)
    config = {"host": "127.0.0.1", "port": 25}
    new = NewSender("Desk", Provider.SMTP, "desk@news.example.org", domain_id=domain.pk, config=config)
    sender = mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    return sender.pk, {one.name: one.value for one in selectors.dns_records(domain=domain)}


def print_letter(sender_id: int, message_class: MessageClass) -> bytes:
    """Return a letter as the sender process makes it."""
    return print_envelope(sender_id, message_class).body


def print_envelope(sender_id: int, message_class: MessageClass) -> Envelope:
    """Return it with its envelope."""
    frozen = compose.freeze(LETTER, message_class=message_class, tracks_opens=True, tracks_clicks=True)
    mailing = Mailing(batch_id=1, content_id=2, message_class=message_class)
    composer = Composer(selectors.load_sender_profile(sender_id=sender_id))
    item = Outgoing(message_id=7, mailing=mailing, to=("ann@example.com",), slots={}, message_id_header="")
    return composer.compose(item, compose.compile_content(frozen))


def parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP)


def test_bulk_mail_carries_one_click_under_both_signatures(workspace: Workspace) -> None:
    sender_id, records = make_sender(workspace)
    raw = print_letter(sender_id, MessageClass.MARKETING)
    letter = parse(raw)
    assert letter.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert verify_all(raw, records) == [True, True]
    for field in letter.get_all("DKIM-Signature", []):
        covered = re.sub(r"\s", "", re.search(r"h=([^;]+);", str(field))[1]).split(":")  # type: ignore[index]
        assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(covered)
        assert covered.count("from") == 2


@pytest.mark.parametrize("name", [b"List-Unsubscribe", b"List-Unsubscribe-Post"])
def test_who_takes_the_way_out_away_breaks_the_signature(workspace: Workspace, name: bytes) -> None:
    sender_id, records = make_sender(workspace)
    raw = print_letter(sender_id, MessageClass.MARKETING)
    without = re.sub(rb"(?m)^" + name + rb":[^\r]*\r\n(?:[ \t][^\r]*\r\n)*", b"", raw)
    assert len(without) < len(raw)
    assert verify_all(without, records) == [False, False]


@pytest.mark.parametrize("message_class", [MessageClass.TRANSACTIONAL, MessageClass.REPLY, MessageClass.SYSTEM])
def test_other_mail_has_nothing_of_bulk(workspace: Workspace, message_class: MessageClass) -> None:
    sender_id, records = make_sender(workspace)
    raw = print_letter(sender_id, message_class)
    letter = parse(raw)
    assert [name for name in BULK_FIELDS if name in letter] == []
    assert "/u/" not in letter.get_body().get_content()  # type: ignore[union-attr]
    assert verify_all(raw, records) == [True, True]


def test_own_names_are_on_what_leaves_once_they_lead_here(workspace: Workspace) -> None:
    sender_id, records = make_sender(workspace)
    before = print_envelope(sender_id, MessageClass.MARKETING)
    assert before.return_path.endswith("@inbound.localhost")
    Domain.objects.update(return_verified_at=NOW, tracking_verified_at=NOW)
    after = print_envelope(sender_id, MessageClass.MARKETING)
    assert after.return_path.endswith("@bounces.news.example.org")
    links = re.findall(rb"https?://[^/\s]+/[ocu]/", after.body.replace(b"=\r\n", b""))
    assert {link.partition(b"://")[2].partition(b"/")[0] for link in links} == {b"links.news.example.org:8000"}
    assert {link[-3:] for link in links} == {b"/o/", b"/c/", b"/u/"}
    assert verify_all(after.body, records) == [True, True]


def accept(workspace: Workspace, message_class: MessageClass, to: str) -> tuple[MessageStatus, str]:
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    new = NewMessage(sender_id=sender.pk, message_class=message_class, to=(to,), composition=LETTER)
    (accepted,) = mail.accept_messages(workspace=workspace, messages=[new], actor=SYSTEM, now=NOW)
    return accepted.status, accepted.reason


def test_transactional_mail_passes_a_no_to_marketing(workspace: Workspace) -> None:
    person = make_contact(workspace=workspace, email="ann@example.com")
    contacts.opt_out(
        workspace=workspace,
        contact_id=person.pk,
        scope=OptOutScope(),
        source="test",
        actor=SYSTEM,
        now=NOW,
    )
    assert accept(workspace, MessageClass.MARKETING, "ann@example.com") == (MessageStatus.SUPPRESSED, "opted_out")
    assert accept(workspace, MessageClass.TRANSACTIONAL, "ann@example.com") == (MessageStatus.QUEUED, "")


@pytest.mark.parametrize("reason", [SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT])
def test_transactional_mail_obeys_a_dead_mailbox_and_a_complaint(
    workspace: Workspace, reason: SuppressionReason
) -> None:
    contacts.suppress_address(
        workspace=workspace,
        email="ann@example.com",
        scope=SuppressionScope.ORGANIZATION,
        reason=reason,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    for message_class in (MessageClass.TRANSACTIONAL, MessageClass.MARKETING):
        assert accept(workspace, message_class, "ann@example.com") == (MessageStatus.SUPPRESSED, reason)
