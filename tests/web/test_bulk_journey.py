"""Searching while one types, ticking people and changing many at once, in a real browser and by the keyboard."""

import os

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import expect

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import BulkRun, ContactTag
from postroom.core.contacts.types import BulkAction, BulkKind, NewContact, Selection
from postroom.core.workspaces.models import User, Workspace
from postroom.kit import clock
from postroom.web.contacts import directory
from tests.factories import NOW, make_actor
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

NAMES = ("Ada Lovelace", "Grace Hopper", "Katherine Johnson", "Annie Easley", "Adele Goldberg", "田中 太郎")


def test_somebody_finds_people_ticks_them_and_changes_them_and_takes_it_back(
    live_server: object,
    as_owner: Client,
    workspace: Workspace,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base, room = str(live_server), f"/w/{workspace.slug}"
    monkeypatch.setattr(directory, "PAGE_SIZE", 5)
    for number, name in enumerate(NAMES):
        first, last = name.split()
        new = NewContact(
            email=f"person{number}@example.com", first_name=first, last_name=last, company="Engines", tags=("customer",)
        )
        contacts.create_contact(workspace=workspace, new=new, actor=make_actor(owner), now=NOW)
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])

        def look(name: str) -> None:
            page.wait_for_timeout(300)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name

        page.goto(f"{room}/bulk/")
        look("bulk none yet")
        page.goto(f"{room}/contacts/")
        expect(page.get_by_text("6 contacts", exact=True)).to_be_visible()
        look("contacts paged")
        page.get_by_role("link", name="Older").click()
        expect(page.locator("tbody tr")).to_have_count(1)
        page.goto(f"{room}/contacts/")
        page.get_by_label("Search by name").press_sequentially("ad")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("link", name="Adele Goldberg")).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.get_by_label("Search by name")).to_be_focused()
        expect(page.get_by_role("button", name="ticked")).to_be_disabled()
        page.get_by_label("Tick everybody on this page").check()
        expect(page.get_by_role("button", name="Change 2 ticked")).to_be_enabled()
        page.get_by_label("Tick Adele Goldberg").uncheck()
        page.get_by_label("Tick Adele Goldberg").check()
        look("contacts ticked")
        page.get_by_role("button", name="Change 2 ticked").click()
        page.get_by_label("Tag", exact=True).fill("pioneer")
        look("bulk tag")
        page.get_by_role("button", name="Add a tag: 2 contacts").click()
        expect(page.locator("#run [role=status]")).to_have_text("Queued")
        look("bulk run waiting")
        contacts.run_bulk(run_uid=BulkRun.objects.get().uid, clock=clock.now)
        expect(page.get_by_text("Undo this change")).to_be_visible(timeout=10_000)
        page.get_by_text("Undo this change").click()
        look("bulk run done")
        assert ContactTag.objects.filter(tag__name="pioneer").count() == 2
        page.get_by_role("button", name="Undo the change").click()
        contacts.run_bulk_undo(run_uid=BulkRun.objects.get().uid, clock=clock.now)
        expect(page.locator("#run [role=status]")).to_have_text("Undone", timeout=10_000)
        assert not ContactTag.objects.filter(tag__name="pioneer").exists()
        page.goto(f"{room}/contacts/?q=%E5%A4%AA")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.get_by_label("What to do with many").select_option("delete")
        page.get_by_role("button", name="Change all found").click()
        look("bulk delete")
        page.get_by_label("Type the number").fill("7")
        page.get_by_role("button", name="Delete: 1 contact").click()
        expect(page.get_by_text("Nobody was deleted")).to_be_visible()
        for kind, params in ((BulkKind.UNTAG, {"tag": "customer"}), (BulkKind.TAG, {"tag": "vip"})):
            action = BulkAction(kind, params)
            contacts.start_bulk(
                workspace=workspace, selection=Selection(), action=action, actor=make_actor(owner), now=clock.now()
            )
        page.goto(f"{room}/bulk/")
        look("bulk runs")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{room}/contacts/")
        expect(page.get_by_text("6 contacts", exact=True)).to_be_visible()
        look("contacts dark")
        assert watch.faults == []
        connection.close()  # beside the browser's event loop it is another one than outside
