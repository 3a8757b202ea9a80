"""A person's timeline tells what was sent, done and changed, newest first, to their own workspace only."""

from datetime import timedelta

import pytest

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Contact
from postroom.core.contacts.types import ContactChanges
from postroom.core.insights import selectors as insights
from postroom.core.insights.types import TimelineEntry
from postroom.core.mail import services as mail
from postroom.core.mail.types import EventType, Hit, MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.paging import PageRequest
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_batch, make_content, make_message

pytestmark = pytest.mark.django_db

PERSON = {
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "ip": "203.0.113.0",
}
URL = "https://example.org/one"


def look(room: Workspace, reader: Contact, **page: int) -> tuple[TimelineEntry, ...]:
    return insights.contact_timeline(workspace=room, contact_uid=reader.uid, page=PageRequest(**page)).items


def make_story(room: Workspace) -> Contact:
    """Return a person who was added, mailed by a campaign, opened it, followed a link, and changed their name."""
    reader = make_contact(workspace=room)
    content = make_content(workspace=room, urls=[URL])
    batch = make_batch(workspace=room, content=content)
    Campaign.objects.filter(pk=make_draft(workspace=room).pk).update(batch=batch, name="Autumn letter")
    sent_at = NOW + timedelta(minutes=10)
    message = make_message(
        workspace=room, batch=batch, content=content, contact=reader, sent_at=sent_at, delivered_at=sent_at
    )
    for minutes, type_, link in ((20, EventType.OPENED, None), (30, EventType.CLICKED, 0)):
        at = NOW + timedelta(minutes=minutes)
        mail.store_hits(hits=[Hit(key=str(type_), type=type_, message_id=message.pk, at=at, link_index=link, **PERSON)])
    mail.apply_hits(now=NOW + timedelta(hours=1))
    contacts.update_contact(
        workspace=room,
        uid=reader.uid,
        changes=ContactChanges(first_name="Ada"),
        actor=SYSTEM,
        now=NOW + timedelta(minutes=40),
    )
    return reader


def test_everything_stands_in_its_place_newest_first() -> None:
    room = make_workspace()
    found = look(room, make_story(room))
    assert [(entry.kind, entry.title) for entry in found] == [
        ("contact.updated", "Details changed"),
        ("mail.clicked", "Followed a link"),
        ("mail.opened", "Opened a mail"),
        ("mail.sent", "Sent: Autumn letter"),
        ("contact.created", "Added to the workspace"),
    ]
    assert found[1].link == URL
    assert found[0].detail == "first name"


def test_pages_cut_one_and_the_same_story() -> None:
    room = make_workspace()
    reader = make_story(room)
    whole = look(room, reader)
    pages = [look(room, reader, number=number, size=2) for number in (1, 2, 3)]
    assert [entry for page in pages for entry in page] == list(whole)


def test_what_never_left_says_so() -> None:
    room = make_workspace()
    reader = make_contact(workspace=room)
    make_message(
        workspace=room, contact=reader, status=MessageStatus.SUPPRESSED, sent_at=None, reply_text="hard_bounce"
    )
    (entry, _) = look(room, reader)
    assert (entry.title, entry.detail) == ("Held back: News", "hard_bounce")


def test_a_machine_is_not_taken_for_the_person() -> None:
    room = make_workspace()
    reader = make_contact(workspace=room)
    message = make_message(workspace=room, contact=reader)
    at = NOW + timedelta(hours=1)
    mail.store_hits(hits=[Hit(key="x", type=EventType.OPENED, message_id=message.pk, at=at, is_bot=True)])
    mail.apply_hits(now=at)
    assert look(room, reader)[0].title == "Mail opened by a machine"


def test_another_workspace_of_the_same_organization_sees_its_own_story_only() -> None:
    room = make_workspace()
    reader = make_story(room)
    other = make_workspace(organization=room.organization)
    with pytest.raises(NoSuchContact):
        look(other, reader)
    make_contact(workspace=other, email=reader.email)
    assert [entry.kind for entry in look(other, reader)] == ["contact.created"]


def test_a_timeline_takes_six_statements_however_long(django_assert_num_queries: object) -> None:
    room = make_workspace()
    reader = make_story(room)
    for _ in range(5):
        make_message(workspace=room, contact=reader)
    with django_assert_num_queries(6):  # type: ignore[operator]
        look(room, reader)
