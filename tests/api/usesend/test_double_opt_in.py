"""Double opt-in from end to end: a contact is put into a book, asked by mail, and says yes behind the link."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, ListMember
from postroom.core.contacts.types import MemberStatus, OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.events import services as events
from postroom.core.mail import selectors as mail
from postroom.core.mail import services as mail_services
from postroom.core.mail.models import Message
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.api.usesend.books import Book, make_book
from tests.factories import NOW

pytestmark = pytest.mark.django_db

OWN = json.dumps(
    {
        "type": "doc",
        "content": [
            {
                "type": "paragraph",
                "content": [
                    {
                        "type": "text",
                        "text": "Dear {{ FIRSTNAME,fallback=reader }} {{lastName}}, is {{ Email }} yours? ",
                    },
                    {"type": "text", "text": "{{company}} {% if %}"},
                ],
            },
            {"type": "button", "attrs": {"text": "Confirm it", "url": "{{  DoubleOptInURL }}"}},
        ],
    }
)


class Watch:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the instant."""
        return self.at

    def move(self, **by: float) -> None:
        """Go on."""
        self.at += timedelta(**by)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch(clock.now().replace(microsecond=0))
    monkeypatch.setattr(clock, "now", watch.now)
    return watch


@pytest.fixture
def book(watch: Watch) -> Book:
    return make_book(is_double_opt_in=True)


def mails() -> list[Message]:
    """Return every mail that asks, after all that happened was told."""
    events.dispatch_events(now=clock.now())
    return list(Message.objects.filter(message_class="system").order_by("pk"))


def shown(message: Message) -> Any:
    return mail.show_message(message=message)


def link_in(message: Message) -> str:
    """Return the path of the link that confirms, as its reader has it."""
    (found,) = set(re.findall(r"/confirm/[\w-]+", json.dumps(message.slots)))
    return str(found)


def press(link: str, act: str = "confirm") -> int:
    """Press the button of the page behind a link."""
    return int(Client().post(link, {"act": act}).status_code)


def opt_out(book: Book, contact_id: str, scope: OptOutScope) -> None:
    contacts.opt_out(
        workspace=book.workspace,
        contact_id=Contact.objects.get(uid=contact_id).pk,
        scope=scope,
        source="link",
        actor=SYSTEM,
        now=clock.now(),
    )


def test_a_new_contact_waits_and_is_subscribed_by_the_button_alone(book: Book) -> None:
    ann = book.put("ann@example.com", firstName="Ann")
    assert book.get(ann)["subscribed"] is False
    (question,) = mails()
    assert (question.to, question.status, question.sender.provider) == (["ann@example.com"], "queued", "sandbox")
    assert shown(question).subject == "Please confirm your subscription"
    link = link_in(question)
    assert Client().get(link).status_code == 200
    assert Client().head(link).status_code == 200
    assert book.get(ann)["subscribed"] is False
    assert press(link) == 200
    assert book.get(ann)["subscribed"] is True
    assert press(link) == 200
    assert len(mails()) == 1


@pytest.mark.parametrize("terms", [{}, {"doubleOptInContent": OWN}])
def test_a_key_does_not_read_the_link_that_confirms(watch: Watch, terms: dict[str, Any]) -> None:
    book = make_book(is_double_opt_in=True, **terms)
    book.put("ann@example.com")
    (question,) = mails()
    (listed,) = book.client.get("/v1/emails").body["data"]
    found = book.client.get(f"/v1/emails/{question.uid.hex}").body
    for one in (listed, found):
        assert one["html"]
        assert "/confirm" not in one["html"] + one["text"]
    assert press(link_in(question)) == 200


def test_the_mail_says_what_its_author_wrote_from_whom_they_chose(watch: Watch) -> None:
    book = make_book(
        is_double_opt_in=True,
        doubleOptInContent=OWN,
        doubleOptInSubject="{{firstName}}, {{ 7 }} confirm at {{CONTACT.EMAIL}}",
        doubleOptInFrom="The Paper <paper@anything.example>",
    )
    book.put("ann@example.com", firstName="Ann <b>", lastName="Lee")
    book.put("bob@example.com")
    to_ann, to_bob = mails()
    assert shown(to_ann).subject == "Ann <b>, {{ 7 }} confirm at ann@example.com"
    assert "Dear Ann &lt;b&gt; Lee, is ann@example.com yours?" in shown(to_ann).html
    assert "{{company}} {% if %}" in shown(to_ann).html
    assert "Dear reader" in shown(to_bob).text
    assert link_in(to_ann) != link_in(to_bob)
    assert 'href="http' in shown(to_ann).html
    assert to_ann.from_address == "The Paper <paper@anything.example>"
    assert press(link_in(to_bob)) == 200
    assert [one["subscribed"] for one in book.list_all()] == [False, True]


def test_the_from_stands_for_the_account_that_sends_and_a_lost_one_does_not_hold_the_mail_back(watch: Watch) -> None:
    book = make_book(is_double_opt_in=True, doubleOptInFrom="paper@lost.example")
    for email in ("first@one.example", "second@two.example"):
        new = NewSender(name=email, provider=Provider.SMTP, from_email=email, config={"host": "mx.example", "port": 25})
        mail_services.create_sender(workspace=book.workspace, new=new, actor=SYSTEM, now=NOW)
    book.put("ann@example.com")
    (question,) = mails()
    assert (question.sender.from_email, question.from_address) == ("first@one.example", "")
    path = f"/v1/contactBooks/{book.row.uid.hex}"
    assert book.client.ask("PATCH", path, {"doubleOptInFrom": "News <hello@two.example>"}).status == 200
    book.put("bob@example.com")
    question = mails()[-1]
    assert (question.sender.from_email, question.from_address) == ("second@two.example", "News <hello@two.example>")


def test_whoever_waits_is_asked_again_by_another_upsert_but_not_at_once(book: Book, watch: Watch) -> None:
    ann = book.put("ann@example.com")
    book.put("ann@example.com")
    assert len(mails()) == 1
    watch.move(minutes=10)
    book.put("ann@example.com", firstName="Ann")
    book.client.put(f"{book.path}/{ann}", {"email": "ann@example.com"})
    assert len(mails()) == 2
    assert ListMember.objects.get().confirmation_count == 2
    assert book.get(ann)["subscribed"] is False


def test_no_address_gets_more_than_five_mails_an_hour_whatever_books_it_is_put_into(book: Book) -> None:
    books = [make_book(workspace=book.workspace, is_double_opt_in=True) for _ in range(8)]
    for one in books:
        one.put("ann@example.com")
    assert len(mails()) == 5


def test_either_link_confirms_and_a_change_of_mind_outlives_both(book: Book, watch: Watch) -> None:
    ann = book.put("ann@example.com")
    watch.move(minutes=11)
    book.put("ann@example.com")
    first, second = map(link_in, mails())
    assert press(first) == 200
    assert book.get(ann)["subscribed"] is True
    opt_out(book, ann, OptOutScope(list_ids=(book.row.pk,)))
    watch.move(minutes=1)
    for link in (first, second):
        assert press(link) == 200
        assert book.get(ann)["subscribed"] is False
    assert ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED


def test_a_link_is_good_for_seven_days_and_then_brings_a_new_one(book: Book, watch: Watch) -> None:
    ann = book.put("ann@example.com")
    old = link_in(mails()[0])
    watch.move(days=7)
    assert Client().get(old).status_code == 410
    assert press(old) == 410
    assert book.get(ann)["subscribed"] is False
    assert press(old, "renew") == 200
    assert press(old, "renew") == 200
    asked, renewed = mails()
    assert asked.to == renewed.to
    assert press(link_in(renewed)) == 200
    assert book.get(ann)["subscribed"] is True


def test_who_is_not_to_be_subscribed_is_not_asked(book: Book) -> None:
    ann = book.put("ann@example.com", subscribed=False)
    assert mails() == []
    assert book.get(ann)["subscribed"] is False
    book.put("ann@example.com", subscribed=True)
    assert mails() == []
    assert ListMember.objects.get().status == MemberStatus.UNSUBSCRIBED


def test_saying_no_for_somebody_who_waits_ends_the_question(book: Book) -> None:
    ann = book.put("ann@example.com")
    link = link_in(mails()[0])
    book.put("ann@example.com", subscribed=False)
    assert press(link) == 200
    assert book.get(ann)["subscribed"] is False


def test_a_change_to_subscribed_asks_the_person_and_brings_back_only_by_their_own_yes(book: Book, watch: Watch) -> None:
    ann = book.put("ann@example.com")
    assert press(link_in(mails()[0])) == 200
    opt_out(book, ann, OptOutScope(list_ids=(book.row.pk,)))
    watch.move(minutes=11)
    assert book.patch(ann, subscribed=True).status == 200
    assert book.get(ann)["subscribed"] is False
    question = mails()[-1]
    assert len(mails()) == 2
    assert press(link_in(question)) == 200
    assert book.get(ann)["subscribed"] is True


@pytest.mark.parametrize("scope", [OptOutScope(), OptOutScope(is_everything=True)])
def test_nobody_is_asked_who_wants_none_of_the_workspaces_mail(book: Book, watch: Watch, scope: OptOutScope) -> None:
    other = make_book(workspace=book.workspace, name="Other")
    ann = other.put("ann@example.com")
    opt_out(other, ann, scope)
    assert book.put("ann@example.com") == ann
    book.patch(ann, subscribed=True)
    watch.move(minutes=11)
    book.put("ann@example.com")
    assert mails() == []
    assert ListMember.objects.get(list=book.row).status == MemberStatus.PENDING
    assert ListMember.objects.get(list=book.row).confirmation_count == 0


def test_nothing_leaves_to_a_suppressed_address(book: Book) -> None:
    contacts.suppress_address(
        workspace=book.workspace,
        email="ann@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.COMPLAINT,
        detail="",
        actor=SYSTEM,
        now=NOW,
    )
    ann = book.put("ann@example.com")
    assert mails() == []
    assert book.get(ann)["subscribed"] is False


def test_who_is_in_the_book_already_stays_when_double_opt_in_is_switched_on(watch: Watch) -> None:
    book = make_book()
    ann = book.put("ann@example.com")
    path = f"/v1/contactBooks/{book.row.uid.hex}"
    assert book.client.ask("PATCH", path, {"doubleOptInEnabled": True}).body["doubleOptInEnabled"] is True
    book.put("ann@example.com", firstName="Ann")
    bob = book.put("bob@example.com")
    assert [one.to for one in mails()] == [["bob@example.com"]]
    assert [book.get(one)["subscribed"] for one in (ann, bob)] == [True, False]


def test_a_bulk_asks_everybody_who_is_new_and_nobody_else(book: Book, watch: Watch) -> None:
    ann = book.put("ann@example.com")
    assert press(link_in(mails()[0])) == 200
    entries = [
        {"email": "ann@example.com"},
        {"email": "bob@example.com"},
        {"email": "cem@example.com", "subscribed": False},
        {"email": "dee@example.com"},
    ]
    assert book.client.post(f"{book.path}/bulk", entries).status == 200
    assert [one.to for one in mails()[1:]] == [["bob@example.com"], ["dee@example.com"]]
    assert book.get(ann)["subscribed"] is True


def test_the_mail_carries_no_tracking(book: Book) -> None:
    book.put("ann@example.com")
    (question,) = mails()
    assert "<img" not in shown(question).html
    assert "/t/" not in shown(question).html
