"""What the small scripts do, in a real browser."""

import os
import re
from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Segment
from postroom.core.contacts.types import NewContact
from postroom.core.mail import services as mail
from postroom.core.workspaces.models import Workspace
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_actor, make_contact
from tests.web.browser import Watch, open_browser
from tests.web.test_campaigns import start

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture
def page(live_server: object, workspace: Workspace, as_owner: Client) -> Iterator[Page]:
    """The owner's browser. Whatever a test does with it, the policy is never broken and nobody else is asked."""
    base = f"{live_server}/w/{workspace.slug}/"
    with open_browser(base) as context:
        session = as_owner.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": str(live_server)}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        watch = Watch(page, str(live_server))
        yield page
        connections.close_all()  # beside an event loop, Django opened one more
        assert watch.surprises() == []


def test_a_segment_is_built_in_groups_with_a_live_count(page: Page, workspace: Workspace) -> None:
    for number in range(5):
        new = NewContact(email=f"p{number}@example.com", company="Acme" if number else "", tags=("vip",) * (number > 2))
        contacts.create_contact(workspace=workspace, new=new, actor=make_actor(), now=NOW)
    page.goto("segments/new/")
    count = page.locator("#found .h2")
    expect(page.locator("#found")).to_contain_text("Fill in every condition")
    choose(page, page.get_by_label("Field"), "company")
    page.get_by_label("Value").fill("acme")
    expect(count).to_have_text("0")
    choose(page, page.get_by_label("Comparison"), "contains")
    expect(page.get_by_label("Value")).to_have_value("acme")
    expect(count).to_have_text("4")

    page.get_by_role("button", name="Group").click()
    choose(page, page.get_by_label("Field").nth(1), "tag")
    expect(page.get_by_label("Value").nth(1)).to_have_value("vip")
    expect(count).to_have_text("2")
    page.get_by_role("group", name="Group of conditions").get_by_role("button", name="Condition", exact=True).click()
    choose(page, page.get_by_label("Field").nth(2), "mail.opened")
    page.get_by_label("How long").fill("30")
    expect(count).to_have_text("2")
    page.get_by_label("and in this group").select_option("all")
    expect(count).to_have_text("0")
    page.get_by_role("button", name="Remove this condition").nth(2).click()
    expect(count).to_have_text("2")
    page.get_by_label("People who match").select_option("any")
    expect(count).to_have_text("4")
    page.get_by_role("button", name="Remove this condition").first.press("Enter")
    expect(count).to_have_text("2")

    page.get_by_label("Name").first.fill("Very important")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Very important", exact=True)).to_be_visible()
    inner = {"match": "all", "conditions": [{"field": "tag", "operator": "has", "value": "vip"}]}
    assert Segment.objects.get().filter == {"match": "any", "conditions": [inner]}

    page.get_by_role("link", name="Very important", exact=True).click()
    page.get_by_placeholder("Name or address").fill("p4")
    page.get_by_role("link", name="p4@example.com").click()
    expect(page.locator("#why")).to_contain_text("is in this segment")
    expect(page.locator("#why")).to_contain_text("Tag has vip")


def choose(page: Page, field: Locator, option: str) -> None:
    """Choose an option and wait for the row that fits it."""
    with page.expect_response(re.compile("/segments/tree/")):
        field.select_option(option)
    page.wait_for_timeout(100)


def test_deleting_a_draft_and_cancelling_a_campaign_ask_first(page: Page, workspace: Workspace) -> None:
    draft, sending = make_draft(workspace=workspace), start(workspace)
    page.goto(f"campaigns/{draft.uid}/")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="No").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    assert not Campaign.objects.filter(pk=draft.pk).exists()

    page.goto(f"campaigns/{sending.uid}/report/")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.wait_for_timeout(2500)  # the page behind refreshes itself, and the question stays
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("#report").get_by_role("status")).to_have_text("Cancelled")
    assert Campaign.objects.get(pk=sending.pk).status == CampaignStatus.CANCELLED


def test_the_preview_follows_the_words_and_narrows_to_a_phone(page: Page, workspace: Workspace) -> None:
    make_contact(workspace=workspace, first_name="Bob")
    draft = make_draft(workspace=workspace)
    page.goto(f"campaigns/{draft.uid}/")
    shown = page.frame_locator("#preview")
    expect(shown.get_by_text("Hello Alex")).to_be_visible()
    history = page.evaluate("history.length")
    for word in ("Good morning", "Good evening"):
        page.locator("#id_body").fill(f"<p>{word} {{{{ first_name }}}}</p>")
        expect(shown.get_by_text(f"{word} Alex")).to_be_visible()
    assert page.evaluate("history.length") == history, "going back leaves the page, not the last keystroke"
    page.get_by_label("Read as").select_option(label="As Bob")
    expect(shown.get_by_text("Good evening Bob")).to_be_visible()
    page.get_by_role("button", name="Phone").click()
    assert page.locator("#preview").evaluate("frame => frame.clientWidth") <= 375
    draft.refresh_from_db()
    assert "Good" not in draft.body


def test_leaving_with_unsaved_words_is_questioned(page: Page, workspace: Workspace) -> None:
    draft = make_draft(workspace=workspace)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto(f"campaigns/{draft.uid}/")
    page.locator("#id_subject").fill("Saved")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    assert asked == []
    page.locator("#id_subject").fill("Not saved")
    page.get_by_role("link", name="Lists").click()
    expect(page.get_by_role("heading", name="Lists").first).to_be_visible()
    assert asked == ["beforeunload"]


def test_a_record_is_copied(page: Page, workspace: Workspace) -> None:
    domain = mail.create_domain(workspace=workspace, name="news.example.org", actor=make_actor(), now=NOW)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"domains/{domain.uid}/")
    page.locator("li", has_text="_dmarc.").get_by_role("button", name="Copy the value").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "v=DMARC1; p=none"
