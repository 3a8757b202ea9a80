"""The pages of lists and topics: changed with what follows from it said, and deleted only while nothing needs them."""

import pytest
from django.test import Client

from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.contacts import services
from postroom.core.contacts.models import Category, List, ListMember
from postroom.core.contacts.types import MemberStatus
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_contact, make_list

pytestmark = pytest.mark.django_db


def make_topic(workspace: Workspace, name: str) -> Category:
    return services.create_category(workspace=workspace, name=name, slug=name.lower(), actor=SYSTEM, now=NOW)


def test_a_list_is_made_shown_and_changed(as_colleague: Client, workspace: Workspace) -> None:
    made = as_colleague.post(f"/w/{workspace.slug}/lists/", {"name": "Letter", "is_double_opt_in": "on"})
    list_ = List.objects.get()
    url = f"/w/{workspace.slug}/lists/{list_.uid}/"
    assert made.headers["Location"] == url
    assert list_.is_double_opt_in
    asking = {
        "is_double_opt_in": "on",
        "confirm_subject": "One click <more>",
        "confirm_text": "Hello {{ name }}\r\nDo you want it?",
    }
    assert as_colleague.post(f"{url}confirmation/", asking).status_code == 302
    about = {
        "name": "Monthly letter",
        "emoji": "📮",
        "description": "Once a month",
        "is_public": "on",
        "variables": "Company, plan_2\ncompany",
    }
    assert as_colleague.post(url, about).status_code == 302
    list_.refresh_from_db()
    assert (list_.name, list_.is_public, list_.confirm_text, list_.is_double_opt_in) == (
        "Monthly letter",
        True,
        "Hello {{ name }}\nDo you want it?",
        True,
    )
    assert (list_.emoji, list_.variables) == ("📮", ["Company", "plan_2"])
    mail = as_colleague.get(f"{url}mail/")
    assert mail.headers["Content-Security-Policy"].startswith("sandbox;")
    assert "One click &lt;more&gt;" in mail.content.decode()
    assert "Hello {{ name }}" in mail.content.decode()


def test_members_are_counted_once_the_page_stands(as_viewer: Client, workspace: Workspace) -> None:
    people = [make_contact(workspace=workspace) for _ in range(3)]
    list_ = make_list(workspace=workspace, members=people, name="Letter")
    ListMember.objects.filter(contact=people[0]).update(status=MemberStatus.UNSUBSCRIBED)
    url = f"/w/{workspace.slug}/lists/"
    assert "…" in as_viewer.get(url).content.decode()
    part = as_viewer.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert '<td class="text-end">2</td>' in part
    assert "<dd>2</dd>" in as_viewer.get(f"{url}{list_.uid}/counts/").content.decode()


def test_a_list_somebody_needs_is_not_deleted_and_the_page_says_who(as_colleague: Client, workspace: Workspace) -> None:
    list_ = make_list(workspace=workspace, name="Letter")
    url = f"/w/{workspace.slug}/lists/{list_.uid}/"
    campaign = Campaign.objects.create(workspace=workspace, name="Spring sale", created_at=NOW, updated_at=NOW)
    CampaignList.objects.create(campaign=campaign, list=list_)
    page = as_colleague.post(f"{url}delete/", follow=True).content.decode()
    assert "Spring sale" in page
    campaign.delete()
    rule = {
        "match": "all",
        "conditions": [
            {"match": "any", "conditions": [{"field": "list", "operator": "in", "value": ["other", "LETTER"]}]}
        ],
    }
    segment = services.create_segment(workspace=workspace, name="Readers", filter=rule, actor=SYSTEM, now=NOW)
    assert "Readers" in as_colleague.post(f"{url}delete/", follow=True).content.decode()
    assert "Readers" in as_colleague.post(url, {"name": "Other"}).content.decode()
    assert as_colleague.post(url, {"name": "letter"}).status_code == 302
    assert List.objects.exists()
    services.delete_segment(workspace=workspace, uid=segment.uid, actor=SYSTEM, now=NOW)
    make_list_member = make_contact(workspace=workspace)
    services.set_list_member(
        workspace=workspace,
        list_id=list_.pk,
        contact_id=make_list_member.pk,
        status=MemberStatus.SUBSCRIBED,
        source="t",
        actor=SYSTEM,
        now=NOW,
    )
    assert "still contacts" in as_colleague.post(f"{url}delete/", follow=True).content.decode()
    assert not List.objects.exists()


def test_people_are_asked_again_one_by_one_or_all_who_never_were(
    as_colleague: Client, as_viewer: Client, workspace: Workspace
) -> None:
    ada, bob = make_contact(workspace=workspace), make_contact(workspace=workspace)
    list_ = services.create_list(workspace=workspace, name="L", actor=SYSTEM, now=NOW, is_double_opt_in=True)
    for one in (ada, bob):
        ListMember.objects.create(list=list_, contact=one, status="pending", created_at=NOW, updated_at=NOW)
    url = f"/w/{workspace.slug}/lists/{list_.uid}/"
    assert "never asked" in as_viewer.get(f"{url}confirmation/").content.decode()
    assert as_viewer.post(f"{url}ask/").status_code == 403
    assert as_colleague.post(f"{url}ask/", {"contact_uid": str(ada.uid)}).status_code == 302
    again = as_colleague.post(f"{url}ask/", {"contact_uid": str(ada.uid), "back": "contact"}, follow=True)
    assert again.redirect_chain[-1][0].endswith(f"/contacts/{ada.uid}/")
    assert "less than 10 minutes ago" in again.content.decode()
    as_colleague.post(f"{url}ask/")
    services.run_confirmations(list_id=list_.pk, clock=lambda: NOW)
    asked = DomainEvent.objects.filter(name="list.confirmation_wanted").values_list("contact_id", flat=True)
    assert list(asked) == [ada.pk, bob.pk]


def test_topics_are_made_described_and_put_in_order(as_colleague: Client, workspace: Workspace) -> None:
    url = f"/w/{workspace.slug}/topics/"
    assert "No topic yet" in as_colleague.get(url).content.decode()
    for name in ("News", "Offers", "Events"):
        as_colleague.post(url, {"name": name, "description": f"All <{name}>"})
    assert "letter or a digit" in as_colleague.post(url, {"name": "!!!"}).content.decode()
    events = Category.objects.get(slug="events")
    for to in ("up", "up", "up"):
        as_colleague.post(f"{url}{events.uid}/move/", {"to": to})
    page = as_colleague.get(url).content.decode()
    assert page.index("All &lt;Events") < page.index("All &lt;News") < page.index("All &lt;Offers")
    as_colleague.post(f"{url}{events.uid}/move/", {"to": "down"})
    as_colleague.post(f"{url}{events.uid}/", {"name": "Meetings", "description": ""})
    ordered = Category.objects.order_by("position").values_list("name", "slug")
    assert list(ordered) == [("News", "news"), ("Meetings", "events"), ("Offers", "offers")]


def test_a_topic_a_campaign_needs_is_not_deleted(as_colleague: Client, workspace: Workspace) -> None:
    topic = make_topic(workspace, "News")
    url = f"/w/{workspace.slug}/topics/{topic.uid}/"
    campaign = Campaign.objects.create(
        workspace=workspace, name="Spring sale", category=topic, created_at=NOW, updated_at=NOW
    )
    assert "Spring sale" in as_colleague.post(f"{url}delete/", follow=True).content.decode()
    campaign.delete()
    assert "is deleted" in as_colleague.post(f"{url}delete/", follow=True).content.decode()
    assert not Category.objects.exists()


def test_a_viewer_looks_and_changes_nothing(as_viewer: Client, workspace: Workspace) -> None:
    list_, topic = make_list(workspace=workspace), make_topic(workspace, "News")
    for path in (f"lists/{list_.uid}/", f"topics/{topic.uid}/"):
        assert "disabled" in as_viewer.get(f"/w/{workspace.slug}/{path}").content.decode()
        assert as_viewer.post(f"/w/{workspace.slug}/{path}", {"name": "x"}).status_code == 403
    assert "<dd>0</dd>" in as_viewer.get(f"/w/{workspace.slug}/topics/{topic.uid}/counts/").content.decode()
