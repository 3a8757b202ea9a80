"""Every page in a real browser, at desk and phone width: no foreign request, no broken policy, nothing too wide."""

import os
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from postroom.core.campaigns import services as campaigns
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ImportRun, List, Segment, SegmentSize
from postroom.core.contacts.types import (
    BookChanges,
    BookEntry,
    ConsentState,
    FieldType,
    MemberStatus,
    NewContact,
    NewField,
)
from postroom.core.mail import services as mail
from postroom.core.workspaces.models import User, Workspace
from postroom.kit import clock
from postroom.kit.types import JSONObject
from tests.factories import NOW, make_actor
from tests.web.browser import SHOTS, Watch, open_browser, take_shots
from tests.web.test_campaign_ways import make_repeating, make_tried_out
from tests.web.test_campaigns import start
from tests.web.test_domains import make_lively_domain
from tests.web.test_imports import HARD, accept_suggestions, upload
from tests.web.test_sandbox_and_senders import capture

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
LETTER = (
    b"From: News <news@example.org>\r\nTo: ada@example.com\r\nSubject: What we built this month\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b'<body style="background:#f3f4f6"><div style="background:#fff;margin:24px auto;max-width:480px;padding:24px">'
    b"<h1>News for you</h1><p>Hello Ada, this is the letter.</p></div></body>\r\n"
)
# What a screen reader or the keyboard would stumble over.
FLAWS = """() => {
  const flaws = [];
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) flaws.push(`id ${id} twice`);
  if (document.querySelectorAll("h1").length !== 1) flaws.push("not exactly one h1");
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!field.labels.length && !field.getAttribute("aria-label")) flaws.push(`no label: ${field.name}`);
  for (const one of document.querySelectorAll("button, a[href]"))
    if (!one.textContent.trim() && !one.getAttribute("aria-label")) flaws.push(`no words: ${one.outerHTML}`);
  for (const image of document.querySelectorAll("img:not([alt]), iframe:not([title])")) flaws.push("no alt or title");
  return flaws;
}"""


@pytest.fixture
def contact_uid(workspace: Workspace, owner: User) -> UUID:
    """A workspace with something in it; the person to look at."""
    actor = make_actor(owner)
    contacts.create_field(workspace=workspace, new=NewField(label="Country", type=FieldType.TEXT), actor=actor, now=NOW)
    news = contacts.create_list(workspace=workspace, name="Monthly letter", actor=actor, now=NOW)
    category = contacts.create_category(workspace=workspace, name="Product news", slug="product", actor=actor, now=NOW)
    for number, name in enumerate(("Ada Lovelace", "Grace Hopper", "Katherine Johnson", "Annie Easley")):
        first, last = name.split()
        new = NewContact(
            email=f"{first.lower()}@example.com",
            first_name=first,
            last_name=last,
            company="Analytical Engines",
            custom={"country": "GB"},
            tags=("customer", f"group {number}"),
        )
        contact = contacts.create_contact(workspace=workspace, new=new, actor=actor, now=NOW)
        contacts.set_list_member(
            workspace=workspace,
            list_id=news.pk,
            contact_id=contact.pk,
            status=MemberStatus.SUBSCRIBED,
            source="test",
            actor=actor,
            now=NOW,
        )
    contacts.set_consent(
        workspace=workspace,
        contact_id=contact.pk,
        category_id=category.pk,
        state=ConsentState.GRANTED,
        source="test",
        actor=actor,
        now=NOW,
    )
    filter_ = {"match": "all", "conditions": [{"field": "tag", "operator": "has", "value": "customer"}]}
    contacts.create_segment(workspace=workspace, name="Customers", filter=filter_, actor=actor, now=NOW)
    return contact.uid


def make_deep_segment(workspace: Workspace) -> Segment:
    """A question with groups in groups and every way to enter a value, counted on some days."""
    within = {"amount": 30, "unit": "days"}
    filter_: JSONObject = {
        "match": "all",
        "conditions": [
            {"field": "tag", "operator": "has_any", "value": ["customer", "group 1"]},
            {"field": "created_at", "operator": "between", "value": ["2026-01-01", "2026-12-31"]},
            {
                "match": "any",
                "conditions": [
                    {"field": "mail.opened", "operator": "did", "value": {"within": within, "times": 2}},
                    {"field": "country", "operator": "in", "value": ["GB", "DE"]},
                    {
                        "match": "all",
                        "conditions": [
                            {"field": "created_at", "operator": "in_last", "value": {"amount": 2, "unit": "weeks"}},
                            {"field": "person.suppressed", "operator": "is_not_set"},
                        ],
                    },
                ],
            },
        ],
    }
    segment = contacts.create_segment(
        workspace=workspace, name="Customers worth a call", filter=filter_, actor=make_actor(), now=NOW
    )
    for day in range(40):
        SegmentSize.objects.create(segment=segment, at=NOW - timedelta(days=40 - day), count=900 + day * (day % 7))
    contacts.measure_segment(segment_uid=segment.uid, now=NOW)
    return segment


def make_book(workspace: Workspace) -> List:
    """A list that a program keeps, with people who have not confirmed yet."""
    changes = BookChanges(
        name="Beta testers", emoji="🚀", properties={"owner": "growth team"}, variables=("company", "plan")
    )
    book = contacts.create_book(workspace=workspace, changes=changes, actor=make_actor(), now=NOW)
    entries = [
        BookEntry("ada@example.com", properties={"company": "Analytical Engines", "plan": "gold"}),
        BookEntry("grace@example.com", properties={"company": "Compilers & Sons"}, is_subscribed=False),
        BookEntry("new.person@example.com"),
    ]
    contacts.put_book_contacts(workspace=workspace, list_uid=book.uid, entries=entries, actor=make_actor(), now=NOW)
    return book


def test_every_page_looks_right(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User, contact_uid: UUID
) -> None:
    base = str(live_server)
    draft = campaigns.create_campaign(workspace=workspace, name="November", actor=make_actor(owner), now=NOW)
    sending = start(workspace)
    tried, repeating = make_tried_out(workspace), make_repeating(workspace)
    captured = capture(workspace, "What we built this month", LETTER)
    hostile = capture(workspace)
    mail.create_domain(workspace=workspace, name="news.example.org", actor=make_actor(owner), now=NOW)
    lively = make_lively_domain(workspace)
    mapping = upload(as_owner, workspace, HARD.read_bytes(), "contacts-hard.csv")["Location"]
    imported = accept_suggestions(as_owner, mapping)["Location"]
    contacts.run_import(run_uid=ImportRun.objects.get().uid, clock=clock.now)
    mapping = upload(as_owner, workspace, HARD.read_bytes(), "contacts-hard.csv")["Location"]
    deep = make_deep_segment(workspace)
    book = make_book(workspace)
    pages = {
        "overview": "",
        "contacts": "contacts/",
        "contacts none found": "contacts/?q=nobody",
        "contact": f"contacts/{contact_uid}/",
        "contact new": "contacts/new/",
        "lists": "lists/",
        "list": f"lists/{book.uid}/",
        "list people": f"lists/{book.uid}/people/",
        "list double opt-in": f"lists/{book.uid}/confirmation/",
        "segments": "segments/",
        "segment new": "segments/new/",
        "segment deep": f"segments/{deep.uid}/",
        "segment why": f"segments/{deep.uid}/why/?contact={contact_uid}",
        "imports": "imports/",
        "import new": "imports/new/",
        "import map": mapping.partition(workspace.slug)[2][1:],
        "import": imported.partition(workspace.slug)[2][1:],
        "campaigns": "campaigns/",
        "campaign compose": f"campaigns/{draft.uid}/",
        "campaign send": f"campaigns/{draft.uid}/send/",
        "report": f"campaigns/{sending.uid}/report/",
        "report variants": f"campaigns/{tried.uid}/report/",
        "report repeating": f"campaigns/{repeating.uid}/report/",
        "sandbox": "sandbox/",
        "sandbox mail": f"sandbox/{captured.uid}/",
        "senders": "senders/",
        "smtp": "connect/",
        "api docs": "docs/",
        "domains": "domains/",
        "domain": f"domains/{lively.uid}/",
        "sender new": "senders/new/",
    }
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        page.goto("/accounts/login/")
        take_shots(page, "sign in")
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        for name, path in pages.items():
            page.goto(f"/w/{workspace.slug}/{path}")
            page.wait_for_timeout(400)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_role("button", name="Menu").click()
        page.get_by_role("link", name="Contacts").wait_for()
        page.screenshot(path=SHOTS / "menu-390.png")
        page.emulate_media(color_scheme="dark")
        for name in ("overview", "contact"):
            page.goto(f"/w/{workspace.slug}/{pages[name]}")
            take_shots(page, f"{name} dark")
        assert watch.faults == []
        page.goto(f"/w/{workspace.slug}/sandbox/{hostile.uid}/")
        page.frame_locator("iframe").get_by_text("Hi").wait_for()
        page.wait_for_timeout(300)
        assert watch.blocked == ["http://tracker.example/o/1.gif"]
        assert any("Blocked script execution" in fault for fault in watch.faults)
        page.goto("/w/nowhere/")
        take_shots(page, "404")
