"""A person's timeline tells what was sent, done and changed, newest first, to their own workspace only."""

from datetime import timedelta

import pytest

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Contact, ImportBatch, ImportRun
from postroom.core.contacts.types import ContactChanges, NewInteraction, OptOutScope
from postroom.core.insights import selectors as insights
from postroom.core.insights.types import Reference, TimelineEntry, TimelineKind
from postroom.core.mail import services as mail
from postroom.core.mail.types import EventType, Hit, MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_actor, make_contact, make_user, make_workspace
from tests.ledger import make_batch, make_content, make_message

pytestmark = pytest.mark.django_db

PERSON = {
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "ip": "203.0.113.0",
}
URL = "https://example.org/one"


def look(room: Workspace, reader: Contact, *kinds: TimelineKind) -> tuple[TimelineEntry, ...]:
    return insights.contact_timeline(workspace=room, contact_uid=reader.uid, kinds=kinds).entries


def leaf(room: Workspace, reader: Contact, size: int, *kinds: TimelineKind) -> list[TimelineEntry]:
    """Return everything, stretch by stretch."""
    found: list[TimelineEntry] = []
    before = ""
    while True:
        part = insights.contact_timeline(workspace=room, contact_uid=reader.uid, kinds=kinds, before=before, size=size)
        assert len(part.entries) <= size
        found += part.entries
        if not part.next:
            return found
        before = part.next


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
    assert found[0].detail == "first name: Robin → Ada"


def test_stretches_cut_one_and_the_same_story_even_where_everything_happens_at_once() -> None:
    room = make_workspace()
    reader = make_story(room)
    for number in range(3):
        contacts.tag_contact(workspace=room, uid=reader.uid, tag_name=f"t{number}", actor=SYSTEM, now=NOW)
        make_message(workspace=room, contact=reader, created_at=NOW, sent_at=NOW)
    contacts.opt_out(workspace=room, contact_id=reader.pk, scope=OptOutScope(), source="letter", actor=SYSTEM, now=NOW)
    whole = list(look(room, reader))
    assert len(whole) == 12
    for size in (1, 2, 3, 5, 11, 12):
        assert leaf(room, reader, size) == whole
    assert [entry.at for entry in whole] == sorted((entry.at for entry in whole), reverse=True)


def test_a_kind_shows_its_own_entries_and_all_kinds_together_show_everything() -> None:
    room = make_workspace()
    reader = make_story(room)
    contacts.tag_contact(workspace=room, uid=reader.uid, tag_name="vip", actor=SYSTEM, now=NOW)
    contacts.opt_out(workspace=room, contact_id=reader.pk, scope=OptOutScope(), source="letter", actor=SYSTEM, now=NOW)
    note = NewInteraction(subject="Called back", body="Wants a demo")
    contacts.add_interaction(workspace=room, contact_uid=reader.uid, new=note, actor=SYSTEM, now=NOW)
    found = {kind: [entry.title for entry in look(room, reader, kind)] for kind in TimelineKind}
    assert found == {
        TimelineKind.MAIL: ["Sent: Autumn letter"],
        TimelineKind.ENGAGEMENT: ["Followed a link", "Opened a mail"],
        TimelineKind.CONSENT: ["Opted out of this workspace's mail"],
        TimelineKind.LISTS: ["Tag added"],
        TimelineKind.CHANGES: ["Details changed"],
        TimelineKind.NOTES: ["Note: Called back"],
        TimelineKind.ACCOUNTS: [],
        TimelineKind.ARRIVALS: ["Added to the workspace"],
    }
    assert sum(map(len, found.values())) == len(look(room, reader))


@pytest.mark.parametrize("before", ["x", "1.2", "9.9.9", "-1.0.0", "99999999999999999.1.1", "1.0.\0", "²3.1.1", "1.4."])
def test_nonsense_for_where_to_begin_is_no_error(before: str) -> None:
    room = make_workspace()
    reader = make_story(room)
    insights.contact_timeline(workspace=room, contact_uid=reader.uid, before=before)


def test_who_did_it_and_which_campaign_it_was_stand_beside_it() -> None:
    room = make_workspace()
    reader, colleague = make_story(room), make_user(workspace=room)
    later = NOW + timedelta(hours=2)
    contacts.tag_contact(workspace=room, uid=reader.uid, tag_name="vip", actor=make_actor(colleague), now=later)
    contacts.opt_out(
        workspace=room,
        contact_id=reader.pk,
        scope=OptOutScope(is_everything=True),
        source="link in a mail",
        actor=make_actor(door=Door.EDGE),
        now=later + timedelta(hours=1),
    )
    left, tagged, renamed, clicked, *_ = look(room, reader)
    assert (left.title, left.detail, left.who) == (
        "Opted out of everything",
        "link in a mail",
        "the person themself",
    )
    assert (tagged.title, tagged.detail, tagged.who) == ("Tag added", "vip", "Robin Ward")
    assert renamed.who == "Postroom"
    campaign = Campaign.objects.get(name="Autumn letter")
    assert clicked.about == Reference("campaign", campaign.uid)


def test_the_import_that_brought_somebody_is_named() -> None:
    room = make_workspace()
    reader = make_contact(workspace=room)
    run = ImportRun.objects.create(
        workspace=room, filename="fair.csv", file_size=1, created_at=NOW, started_at=NOW, finished_at=NOW
    )
    ImportBatch.objects.create(run=run, first_row=0, created_ids=[reader.pk])
    (arrival,) = look(room, reader)
    assert (arrival.detail, arrival.about) == ("by the import of fair.csv", Reference("import", run.uid))


def test_a_private_note_is_its_authors_alone() -> None:
    room = make_workspace()
    reader, author, other = make_contact(workspace=room), make_user(workspace=room), make_user(workspace=room)
    note = NewInteraction(body="psst", is_team_visible=False)
    contacts.add_interaction(workspace=room, contact_uid=reader.uid, new=note, actor=make_actor(author), now=NOW)

    def notes(viewer_id: int | None) -> int:
        found = insights.contact_timeline(workspace=room, contact_uid=reader.uid, viewer_id=viewer_id)
        return sum(entry.kind == "note.note" for entry in found.entries)

    assert (notes(author.pk), notes(other.pk), notes(None)) == (1, 0, 0)


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


def test_a_timeline_takes_as_many_statements_however_long(django_assert_num_queries: object) -> None:
    room = make_workspace()
    reader = make_story(room)
    for _ in range(5):
        make_message(workspace=room, contact=reader)
    with django_assert_num_queries(10):  # type: ignore[operator]
        look(room, reader)
