"""A draft can be written, shown and thrown away, by its own workspace only."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db.models import ProtectedError

from postroom.core.campaigns import selectors
from postroom.core.campaigns import services as campaigns
from postroom.core.campaigns.errors import BadCampaign, CampaignState, NoSuchCampaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignChanges, CampaignStatus
from postroom.core.contacts.errors import NoSuchCategory, NoSuchList, NoSuchSegment
from postroom.core.events.models import DomainEvent
from postroom.core.mail import services as mail
from postroom.core.mail.errors import NoSuchSender
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.paging import PageRequest
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_actor, make_contact, make_list, make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Workspace:
    """A workspace."""
    return make_workspace()


def update(campaign: Campaign, **changes: object) -> Campaign:
    return campaigns.update_campaign(
        workspace=campaign.workspace,
        uid=campaign.uid,
        changes=CampaignChanges(**changes),  # type: ignore[arg-type]
        actor=SYSTEM,
        now=NOW,
    )


def test_a_draft_keeps_what_a_change_does_not_mention(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    update(draft, preheader="In short")
    found = selectors.get_campaign(workspace=room, uid=draft.uid)
    assert (found.subject, found.preheader, found.lists.count()) == ("News for {{ first_name }}", "In short", 1)
    update(draft, sender_id=None, list_ids=())
    found = selectors.get_campaign(workspace=room, uid=draft.uid)
    assert (found.sender, list(found.lists.all())) == (None, [])


def test_every_write_leaves_one_audit_row_and_one_event(room: Workspace) -> None:
    owner = make_user(workspace=room)
    draft = campaigns.create_campaign(workspace=room, name="Spring", actor=make_actor(owner), now=NOW)
    campaigns.update_campaign(
        workspace=room, uid=draft.uid, changes=CampaignChanges(name="Summer"), actor=make_actor(owner), now=NOW
    )
    campaigns.delete_campaign(workspace=room, uid=draft.uid, actor=make_actor(owner), now=NOW)
    acts = ["campaign.created", "campaign.updated", "campaign.deleted"]
    audit = AuditEntry.objects.filter(object_type="campaign").order_by("id")
    assert list(audit.values_list("act", flat=True)) == acts
    assert {entry.user for entry in audit} == {owner}
    assert (audit[1].before, audit[1].after) == ({"name": "Spring"}, {"name": "Summer"})
    assert list(DomainEvent.objects.filter(object_type="campaign").values_list("name", flat=True)) == acts


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"subject": "one\r\nBcc: all@example.com"}, "single line"),
        ({"subject": "x" * 999}, "longer than 998"),
        ({"body": "x" * 500_001}, "longer than 500000"),
        ({"body": "nul \0"}, "NUL"),
    ],
)
def test_text_that_cannot_be_mailed_is_refused_by_name(room: Workspace, changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadCampaign, match=words):
        update(make_draft(workspace=room), **changes)


def test_parts_of_another_workspace_are_unknown(room: Workspace) -> None:
    draft, other = make_draft(workspace=room), make_workspace(organization=room.organization)
    foreign_sender = mail.ensure_sandbox_sender(workspace=other, actor=SYSTEM, now=NOW)
    with pytest.raises(NoSuchSender):
        update(draft, sender_id=foreign_sender.pk)
    with pytest.raises(NoSuchList):
        update(draft, list_ids=(make_list(workspace=other).pk,))
    with pytest.raises(NoSuchCategory):
        update(draft, category_id=1)
    with pytest.raises(NoSuchSegment):
        update(draft, segment_id=1)


def test_strangers_find_nothing_and_change_nothing(room: Workspace) -> None:
    draft, other = make_draft(workspace=room), make_workspace(organization=room.organization)
    acts: tuple[Callable[[], object], ...] = (
        lambda: selectors.get_campaign(workspace=other, uid=draft.uid),
        lambda: selectors.preview_campaign(workspace=other, uid=draft.uid),
        lambda: selectors.count_campaign_audience(workspace=other, uid=draft.uid, now=NOW),
        lambda: campaigns.update_campaign(
            workspace=other, uid=draft.uid, changes=CampaignChanges(name="x"), actor=SYSTEM, now=NOW
        ),
        *(
            lambda act=act: act(workspace=other, uid=draft.uid, actor=SYSTEM, now=NOW)
            for act in (
                campaigns.send_campaign,
                campaigns.pause_campaign,
                campaigns.resume_campaign,
                campaigns.cancel_campaign,
                campaigns.delete_campaign,
            )
        ),
        lambda: campaigns.send_test(workspace=other, uid=draft.uid, to=("a@example.com",), actor=SYSTEM, now=NOW),
    )
    for act in acts:
        with pytest.raises(NoSuchCampaign):
            act()
    with pytest.raises(NoSuchCampaign):
        selectors.get_campaign(workspace=room, uid=uuid4())
    assert selectors.list_campaigns(workspace=other, page=PageRequest()).items == ()


def test_only_a_draft_can_be_changed(room: Workspace) -> None:
    draft = make_draft(workspace=room)
    Campaign.objects.filter(pk=draft.pk).update(status=CampaignStatus.SENT)
    with pytest.raises(CampaignState, match="only a draft"):
        update(draft, name="Later")


def test_a_list_that_a_campaign_is_for_cannot_vanish_under_it(room: Workspace) -> None:
    draft = make_draft(workspace=room, readers=[make_contact(workspace=room)])
    with pytest.raises(ProtectedError):
        draft.lists.get().delete()


def test_campaigns_are_listed_newest_first_in_one_statement(room: Workspace, django_assert_num_queries: object) -> None:
    drafts = [make_draft(workspace=room) for _ in range(3)]
    with django_assert_num_queries(1):  # type: ignore[operator]
        page = selectors.list_campaigns(workspace=room, page=PageRequest(size=2))
    assert [row.campaign for row in page.items] == [drafts[2], drafts[1]]
    assert [(row.total, row.done) for row in page.items] == [(0, 0), (0, 0)]
    assert page.has_next


def test_a_preview_shows_the_mail_as_one_person_sees_it(room: Workspace) -> None:
    reader = make_contact(workspace=room, first_name="Ada")
    draft = make_draft(workspace=room, readers=[reader])
    seen = selectors.preview_campaign(workspace=room, uid=draft.uid, contact_uid=reader.uid)
    assert seen.subject == "News for Ada"
    assert "Hello Ada" in seen.html
    assert "Hello Alex" in selectors.preview_campaign(workspace=room, uid=draft.uid).html


def test_a_new_draft_is_from_the_sandbox_until_a_sender_is_configured(room: Workspace) -> None:
    first = campaigns.create_campaign(workspace=room, name="First", actor=SYSTEM, now=NOW)
    assert first.sender is not None
    assert first.sender.provider == Provider.SANDBOX
    new = NewSender(
        name="Desk",
        provider=Provider.SMTP,
        from_email="desk@example.com",
        config={"host": "localhost", "port": 25, "security": "none"},
    )
    desk = mail.create_sender(workspace=room, new=new, actor=SYSTEM, now=NOW)
    assert campaigns.create_campaign(workspace=room, name="Next", actor=SYSTEM, now=NOW).sender == desk
