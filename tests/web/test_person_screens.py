"""The pages of one person, of companies and of fields in a real browser; and the journey of a merge."""

import os
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import Contact, TypeChange
from postroom.core.contacts.types import (
    AccountDetails,
    ConsentState,
    FieldType,
    InteractionType,
    MemberStatus,
    NewContact,
    NewField,
    NewInteraction,
    OptOutScope,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.mail import services as mail
from postroom.core.mail.types import EventType, Hit
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from postroom.kit import clock
from tests.core.campaigns.makers import make_draft
from tests.factories import NOW, make_actor
from tests.ledger import make_batch, make_content, make_message
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
HUMAN = {"agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "ip": "203.0.113.0"}
DAY = timedelta(days=1)


@pytest.fixture
def ada(workspace: Workspace, owner: User) -> Contact:
    """A person with a rich life."""
    actor = make_actor(owner)
    for label, type_, options in (
        ("Country", FieldType.TEXT, ()),
        ("Lifetime value", FieldType.NUMBER, ()),
        ("Plan", FieldType.SELECT, ("gold", "silver", "bronze")),
        ("Likes", FieldType.MULTISELECT, ("tea", "cake", "engines")),
        ("Born", FieldType.DATE, ()),
    ):
        new = NewField(label=label, type=type_, options=options, description="What we were told" if options else "")
        contacts.create_field(workspace=workspace, new=new, actor=actor, now=NOW - 30 * DAY)
    person = contacts.create_contact(
        workspace=workspace,
        new=NewContact(
            email="ada.lovelace@engines.example",
            first_name="Ada",
            last_name="Lovelace",
            company="Analytical Engines",
            phone="+44 20 7946 0000",
            language="en",
            timezone="Europe/London",
            custom={"country": "GB", "lifetime_value": 1250.5, "plan": "gold", "likes": ["tea", "engines"]},
            tags=("customer", "speaker"),
        ),
        actor=actor,
        now=NOW - 20 * DAY,
    )
    fill_life(workspace, owner, person)
    return person


def fill_life(workspace: Workspace, owner: User, person: Contact) -> None:
    """Let things happen to a person: lists, consent, mail, notes, a company."""
    actor = make_actor(owner)
    for number, (name, status) in enumerate(
        (("Monthly letter", MemberStatus.SUBSCRIBED), ("Events", MemberStatus.UNSUBSCRIBED))
    ):
        list_ = contacts.create_list(workspace=workspace, name=name, actor=actor, now=NOW - 19 * DAY)
        contacts.set_list_member(
            workspace=workspace,
            list_id=list_.pk,
            contact_id=person.pk,
            status=status,
            source="form on the web site",
            actor=actor,
            now=NOW - (18 - number) * DAY,
        )
    for name, state in (("Product news", ConsentState.GRANTED), ("Offers", ConsentState.WITHDRAWN)):
        category = contacts.create_category(
            workspace=workspace, name=name, slug=name.lower().replace(" ", "-"), actor=actor, now=NOW - 19 * DAY
        )
        contacts.set_consent(
            workspace=workspace,
            contact_id=person.pk,
            category_id=category.pk,
            state=state,
            source="preference centre",
            actor=make_actor(door=Door.EDGE),
            now=NOW - 10 * DAY,
        )
    send_letter(workspace, person)
    for type_, subject, body, private in (
        (InteractionType.CALL, "Called about the engine", "She wants punched cards.\nCall again in May.", False),
        (InteractionType.MEETING, "Met at the fair", "", False),
        (InteractionType.NOTE, "", "Careful: prefers letters to calls.", True),
    ):
        new = NewInteraction(type=type_, subject=subject, body=body, is_team_visible=not private)
        contacts.add_interaction(workspace=workspace, contact_uid=person.uid, new=new, actor=actor, now=NOW - 3 * DAY)
    details = AccountDetails(name="Analytical Engines Ltd", domain="engines.example", plan="gold", notes="Since 1837.")
    account = contacts.create_account(workspace=workspace, details=details, actor=actor, now=NOW - 5 * DAY)
    contacts.link_account(
        workspace=workspace, uid=account.uid, contact_uid=person.uid, role="Analyst", actor=actor, now=NOW - 4 * DAY
    )


def send_letter(workspace: Workspace, person: Contact) -> None:
    """Let a campaign's mail be opened and its link be followed."""
    content = make_content(workspace=workspace, urls=["https://example.org/engines"])
    batch = make_batch(workspace=workspace, content=content)
    Campaign.objects.filter(pk=make_draft(workspace=workspace).pk).update(batch=batch, name="Autumn letter")
    at = NOW - 6 * DAY
    message = make_message(workspace=workspace, batch=batch, content=content, contact=person, sent_at=at)
    for hours, type_, link in ((1, EventType.OPENED, None), (2, EventType.CLICKED, 0)):
        moment = at + timedelta(hours=hours)
        hit = Hit(key=f"{type_}", type=type_, message_id=message.pk, at=moment, link_index=link, **HUMAN)
        mail.store_hits(hits=[hit])
    mail.apply_hits(now=NOW)


def make_double(workspace: Workspace, owner: User) -> Contact:
    """A second record of the same person, with a mail, a note and a no of its own."""
    double = contacts.create_contact(
        workspace=workspace,
        new=NewContact(
            email="ada.lovelace@mail.example",
            first_name="A.",
            last_name="Lovelace",
            custom={"plan": "silver", "born": "1815-12-10"},
            tags=("newsletter",),
        ),
        actor=make_actor(owner),
        now=NOW - 15 * DAY,
    )
    make_message(workspace=workspace, contact=double, sent_at=NOW - 7 * DAY)
    note = NewInteraction(subject="Wrote to the old address")
    contacts.add_interaction(workspace=workspace, contact_uid=double.uid, new=note, actor=SYSTEM, now=NOW - 2 * DAY)
    contacts.opt_out(
        workspace=workspace,
        contact_id=double.pk,
        scope=OptOutScope(list_ids=tuple(workspace.lists.filter(name="Monthly letter").values_list("pk", flat=True))),
        source="link in a mail",
        actor=make_actor(door=Door.EDGE),
        now=NOW - DAY,
    )
    contacts.suppress_address(
        workspace=workspace,
        email="ada.lovelace@mail.example",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.HARD_BOUNCE,
        detail="5.1.1 no such user",
        actor=SYSTEM,
        now=NOW,
    )
    return double


def make_changes(workspace: Workspace, owner: User) -> UUID:
    """Return a field whose change of type was refused."""
    field = contacts.create_field(workspace=workspace, new=NewField(label="Postcode"), actor=make_actor(owner), now=NOW)
    for number in range(3):
        new = NewContact(first_name=f"P{number}", custom={"postcode": f"00{number} SW1"})
        contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    contacts.change_field_type(
        workspace=workspace, uid=field.uid, type=FieldType.NUMBER, options=(), actor=make_actor(owner), now=NOW
    )
    contacts.run_type_change(run_uid=TypeChange.objects.get().uid, clock=clock.now)
    return field.uid


def sign_in(page: Page, client: Client, base: str) -> None:
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}])


def test_every_page_looks_right(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User, ada: Contact
) -> None:
    base = str(live_server)
    double = make_double(workspace, owner)
    plan = workspace.fields.get(key="plan")
    account, note = workspace.accounts.get(), ada.interactions.first()
    assert note is not None
    person = f"contacts/{ada.uid}/"
    pages = {
        "person": person,
        "person by kind": f"{person}?kind=notes",
        "person suppressed": f"contacts/{double.uid}/",
        "person edit": f"{person}edit/",
        "person merge find": f"{person}merge/?q=love",
        "person merge": f"{person}merge/?with={double.uid}",
        "note": f"contacts/notes/{note.uid}/",
        "companies": "companies/",
        "companies to choose": f"companies/?for={double.uid}",
        "company": f"companies/{account.uid}/",
        "company new": "companies/new/",
        "fields": "fields/",
        "field": f"fields/{plan.uid}/",
        "field new": "fields/new/",
        "field refused": f"fields/{make_changes(workspace, owner)}/",
    }
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        sign_in(page, as_owner, base)
        for name, path in pages.items():
            page.goto(f"/w/{workspace.slug}/{path}")
            page.wait_for_timeout(300)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.emulate_media(color_scheme="dark")
        for name in ("person", "person merge", "field"):
            page.goto(f"/w/{workspace.slug}/{pages[name]}")
            take_shots(page, f"{name} dark")
        assert watch.faults == []


def test_two_records_become_one_and_both_stories_are_told(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User, ada: Contact
) -> None:
    base = str(live_server)
    double = make_double(workspace, owner)
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        sign_in(page, as_owner, base)
        page.goto(f"/w/{workspace.slug}/contacts/{ada.uid}/")
        page.get_by_role("link", name="Opens and clicks").click()
        expect(page.locator("#life").get_by_text("Followed a link")).to_be_visible()
        expect(page.locator("#life").get_by_text("Details changed")).to_have_count(0)
        page.get_by_role("link", name="Merge").click()
        page.get_by_role("link", name="Compare with ada.lovelace@mail.example").first.click()
        expect(page.get_by_text("the stricter word holds")).to_be_visible()
        row = page.get_by_role("row", name="Plan")
        row.get_by_label("silver").check()
        page.get_by_role("button", name="Make them one").click()
        expect(page.get_by_text("The two records are one now.")).to_be_visible()
        life = page.locator("#life")
        for told in ("Wrote to the old address", "Called about the engine", "Sent: Autumn letter", "Sent: News"):
            expect(life.get_by_text(told).first).to_be_visible()
        expect(life.get_by_text("Merged with another record")).to_be_visible()
        facts = page.locator("#record")
        expect(facts.get_by_text("silver")).to_be_visible()
        expect(facts.get_by_text("1815-12-10")).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="Monthly letter").first).to_contain_text("Unsubscribed")
        take_shots(page, "journey merge")
        page.get_by_role("link", name="Change", exact=True).click()
        page.locator("#record").get_by_label("First name").fill("Augusta Ada")
        page.locator("#record").get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Augusta Ada Lovelace")).to_be_visible()
        page.goto(f"/w/{workspace.slug}/contacts/{double.uid}/")
        expect(page.get_by_text("The record you asked for was merged")).to_be_visible()
        expect(page.get_by_role("heading", name="Augusta Ada Lovelace")).to_be_visible()
        assert watch.faults == []
