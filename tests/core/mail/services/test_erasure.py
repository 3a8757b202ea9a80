"""Forgetting a person's mail: not before its outcome is known, and nothing of anybody else's."""

import pytest

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import ContactChanges, ErasedPerson
from postroom.core.mail import services as mail
from postroom.core.mail.models import Content, InboundMessage, Letter, Message, SandboxMail
from postroom.core.mail.services.erasure import scrub_mail
from postroom.core.mail.types import Composition, MessageClass, NewMessage, Submission
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.factories import NOW, make_contact, make_workspace

pytestmark = pytest.mark.django_db

BOB, JIMBOB = "bob@example.com", "jimbob@example.com"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def bob(workspace: Workspace) -> Contact:
    return make_contact(workspace=workspace, email=BOB)


def person_of(contact: Contact) -> ErasedPerson:
    return ErasedPerson(contact.organization_id, (contact.pk,), (BOB,), (BOB,))


def write(workspace: Workspace, *to: str, cc: tuple[str, ...] = (), words: str = "<p>Hello</p>") -> Message:
    """Accept a message."""
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=NOW)
    new = NewMessage(
        sender_id=sender.pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=to,
        cc=cc,
        composition=Composition(subject="Hello", body=words),
        headers={"X-Order": "7"},
    )
    [accepted] = mail.accept_messages(workspace=workspace, messages=[new], actor=SYSTEM, now=NOW)
    return Message.objects.get(pk=accepted.id)


def scrub(contact: Contact) -> int:
    """Scrub until nothing is left, and return how many turns that took."""
    turns = 1
    while not scrub_mail(person_of(contact), NOW):
        turns += 1
    return turns


@pytest.mark.parametrize("status", ["claimed", "wire"])
def test_mail_on_its_way_is_waited_for(workspace: Workspace, bob: Contact, status: str) -> None:
    message = write(workspace, BOB)
    Message.objects.update(status=status)
    assert not scrub_mail(person_of(bob), NOW)
    message.refresh_from_db()
    assert message.to == [BOB]
    Message.objects.update(status="sent")
    assert scrub(bob) == 2
    message.refresh_from_db()
    assert (message.to, message.headers, message.status) == ([], {}, "sent")


def test_letters_to_nobody_else_go_and_those_to_others_stay(workspace: Workspace, bob: Contact) -> None:
    letters = [
        Submission(from_address="a@example.com", to=to, subject="Hello", text="Dear Bob")
        for to in ((BOB,), (BOB, JIMBOB))
    ]
    mail.submit_messages(workspace=workspace, submissions=letters, actor=SYSTEM, now=NOW)
    own, shared = Message.objects.order_by("pk")
    assert scrub(bob) == 1
    assert list(Letter.objects.values_list("pk", flat=True)) == [shared.pk]
    own.refresh_from_db()
    shared.refresh_from_db()
    assert (own.status, own.to, shared.status, shared.to) == ("suppressed", [], "queued", [JIMBOB])


def test_the_names_that_recipients_were_written_with_go_too(workspace: Workspace, bob: Contact) -> None:
    own = Submission("shop@acme.example", to=(f"Bob Smith <{BOB}>",), subject="Hi", text="Hi")
    others = ("Ann <ann@example.com>", f"Bob <{BOB}>", f"Jim Bob <{JIMBOB}>")
    shared = Submission("shop@acme.example", to=others, cc=(f"B <{BOB}>",), subject="Hi", text="Hi")
    mail.submit_messages(workspace=workspace, submissions=[own, shared], actor=SYSTEM, now=NOW)
    Message.objects.update(status="sent")
    scrub(bob)
    first, second = Message.objects.order_by("pk")
    assert first.shown == {}
    assert second.shown == {"to": ["Ann <ann@example.com>", f"Jim Bob <{JIMBOB}>"], "cc": []}


def test_mail_that_waits_is_never_sent(workspace: Workspace, bob: Contact) -> None:
    message = write(workspace, BOB)
    scrub(bob)
    message.refresh_from_db()
    assert (message.status, message.reply_text, message.next_attempt_at) == ("suppressed", "erased", None)
    assert Content.objects.get(pk=message.content_id).html == ""


def test_mail_from_before_anybody_knew_whose_the_address_is_goes_too(workspace: Workspace) -> None:
    message = write(workspace, BOB, words="<p>Only for you</p>")
    bob = make_contact(workspace=workspace, email=BOB)
    scrub(bob)
    message.refresh_from_db()
    assert (message.to, message.contact_id) == ([], bob.pk)
    assert Content.objects.get(pk=message.content_id).html == ""


def test_mail_to_an_address_that_the_person_had_before_goes_too(workspace: Workspace, bob: Contact) -> None:
    message = write(workspace, BOB)
    changes = ContactChanges(email="robert@example.com")
    contacts.update_contact(workspace=workspace, uid=bob.uid, changes=changes, actor=SYSTEM, now=NOW)
    unlinked = write(workspace, BOB, words="<p>Nobody knows whose this is now</p>")
    assert unlinked.contact_id is None
    contacts.erase_contact(workspace=workspace, uid=bob.uid, actor=SYSTEM, now=NOW)
    while not contacts.finish_erasure(contact_id=bob.pk, clock=clock.now):
        pass
    for row in (message, unlinked):
        row.refresh_from_db()
        assert (row.to, row.status) == ([], "suppressed")


def test_an_address_that_is_somebody_elses_now_stays_theirs(workspace: Workspace, bob: Contact) -> None:
    changes = ContactChanges(email="robert@example.com")
    contacts.update_contact(workspace=workspace, uid=bob.uid, changes=changes, actor=SYSTEM, now=NOW)
    make_contact(workspace=workspace, email=BOB)
    message = write(workspace, BOB)
    contacts.erase_contact(workspace=workspace, uid=bob.uid, actor=SYSTEM, now=NOW)
    while not contacts.finish_erasure(contact_id=bob.pk, clock=clock.now):
        pass
    message.refresh_from_db()
    assert (message.to, message.status) == ([BOB], "queued")


def test_words_that_others_got_too_stay(workspace: Workspace, bob: Contact) -> None:
    message, other = write(workspace, BOB), write(workspace, JIMBOB)
    assert message.content_id == other.content_id
    assert scrub(bob) == 1
    assert "Hello" in Content.objects.get().html
    other.refresh_from_db()
    assert (other.to, other.headers, other.status) == ([JIMBOB], {"X-Order": "7"}, "queued")


def test_words_that_somebody_gets_meanwhile_are_not_emptied(workspace: Workspace, bob: Contact) -> None:
    message = write(workspace, BOB)
    assert not scrub_mail(person_of(bob), NOW)  # they are retired: nobody finds them any more
    other = write(workspace, JIMBOB)
    assert other.content_id != message.content_id
    assert scrub(bob) == 1
    assert Content.objects.get(pk=message.content_id).html == ""
    assert "Hello" in Content.objects.get(pk=other.content_id).html


def test_a_mail_to_several_stays_a_mail_to_the_others(workspace: Workspace, bob: Contact) -> None:
    both, copied = write(workspace, BOB, JIMBOB), write(workspace, JIMBOB, cc=(BOB,))
    assert both.contact_id == bob.pk
    scrub(bob)
    both.refresh_from_db()
    copied.refresh_from_db()
    assert (both.to, both.headers, both.status) == ([JIMBOB], {"X-Order": "7"}, "queued")
    assert "Hello" in Content.objects.get(pk=both.content_id).html
    assert (copied.to, copied.cc, copied.headers) == ([JIMBOB], [], {"X-Order": "7"})


def test_mail_of_somebody_with_a_longer_address_stays(workspace: Workspace, bob: Contact) -> None:
    rows = {
        address: InboundMessage.objects.create(
            workspace=workspace,
            mail_from=f"bounces@{address}.example",
            recipient="x",
            raw=f"To: <{address}>\r\n\r\nHi".encode(),
            received_at=NOW,
        )
        for address in (BOB, JIMBOB)
    }
    SandboxMail.objects.create(workspace=workspace, recipients=[JIMBOB], size=1, raw=b"x", received_at=NOW)
    scrub(bob)
    assert list(InboundMessage.objects.all()) == [rows[JIMBOB]]
    assert SandboxMail.objects.count() == 1


def test_the_same_person_in_another_organization_keeps_their_mail(workspace: Workspace, bob: Contact) -> None:
    elsewhere = make_workspace()
    make_contact(workspace=elsewhere, email=BOB)
    message = write(elsewhere, BOB)
    write(workspace, BOB)
    contacts.erase_contact(workspace=workspace, uid=bob.uid, actor=SYSTEM, now=NOW)
    while not contacts.finish_erasure(contact_id=bob.pk, clock=clock.now):
        pass
    message.refresh_from_db()
    assert (message.to, message.status) == ([BOB], "queued")
    assert Contact.objects.get(email=BOB).organization == elsewhere.organization
