"""A reader without any old mail finds their preference centre, chooses, and the next campaign does as they said."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.running import Running
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_journey import running, sign_in

__all__ = ["running"]  # a fixture

pytestmark = [pytest.mark.web, pytest.mark.timeout(240)]

ROOM: Final = "/w/newsroom"


def test_the_preference_centre_from_asking_to_the_next_campaign(running: Running, tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{running.web_port}"
    people = tmp_path / "people.csv"
    people.write_text("E-mail,First name\nada@example.com,Ada\nbob@example.com,Bob\n")
    imported = running.run("import", str(people), "--workspace", "newsroom", "--list", "Daily letter")
    assert imported.returncode == 0, imported.stderr
    with open_browser(base) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch = Watch(page, base)
        sign_in(page)
        make_asking_list(page)
        link = ask_for_link(context, page)
        choose(context, link)
        confirm(context, page)
        send_campaign(page)
        assert watch.surprises() == []


def make_asking_list(page: Page) -> None:
    """Staff make a public list on which everybody is asked, and put Bob on it."""
    page.get_by_role("link", name="Lists").click()
    page.get_by_label("Name").fill("Monthly letter")
    page.get_by_label("Ask people to confirm").check()
    page.get_by_role("button", name="Make the list").click()
    page.get_by_label("Public").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Double opt-in").click()
    page.get_by_label("Its text").fill("Do you want our monthly letter?\nIt is short.")
    page.get_by_role("button", name="Save").click()
    expect(page.frame_locator("iframe").get_by_text("It is short.")).to_be_visible()
    page.goto(f"{ROOM}/contacts/?q=bob")
    page.get_by_role("link", name="Bob").click()
    page.get_by_label("List to put this person on").select_option(label="Monthly letter")
    page.locator("li:has(#other-list)").get_by_role("button").click()
    expect(page.locator("li", has_text="Monthly letter").first).to_contain_text("Pending")


def ask_for_link(context: BrowserContext, staff: Page) -> str:
    """Ada asks for her link on the open page, and so does nobody; return what came by mail."""
    reader = context.browser.new_context(base_url=origin(staff)).new_page()  # type: ignore[union-attr]
    watch = Watch(reader, origin(staff))
    said = set()
    for email in ("nobody@example.com", "ADA@example.com"):
        reader.goto("/p/")
        reader.get_by_label("Your e-mail address").fill(email)
        reader.get_by_role("button", name="Send me the link").click()
        expect(reader.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        said.add(reader.locator("main").inner_text())
    assert len(said) == 1
    assert watch.surprises() == []
    reader.context.close()
    return link_in(staff, "Your mail from", "/p/")


def choose(context: BrowserContext, link: str) -> None:
    """Ada leaves the daily letter and takes the monthly one; the page then says exactly that."""
    reader = context.new_page()
    reader.goto(link)
    expect(reader.get_by_label("Daily letter")).to_be_checked()
    reader.get_by_label("Daily letter").uncheck()
    reader.get_by_label("Monthly letter").check()
    reader.get_by_role("button", name="Save").click()
    expect(reader.get_by_role("status")).to_contain_text("Saved")
    take_shots(reader, "journey preferences")
    reader.goto(link)
    expect(reader.get_by_label("Monthly letter")).to_be_checked()
    expect(reader.get_by_label("Daily letter")).to_have_count(0)
    reader.close()


def confirm(context: BrowserContext, staff: Page) -> None:
    """Bob confirms what staff put him on; going there again is harmless."""
    reader = context.new_page()
    link = link_in(staff, "Please confirm", "/confirm/")
    reader.goto(link)
    expect(reader.get_by_role("heading", name="Do you want “Monthly letter”?")).to_be_visible()
    reader.get_by_role("button", name="Yes, I want this").click()
    expect(reader.get_by_role("heading", name="Welcome")).to_be_visible()
    reader.goto(link)
    expect(reader.get_by_role("heading", name="Welcome")).to_be_visible()
    reader.get_by_role("link", name="Choose what you get").click()
    expect(reader.get_by_label("Monthly letter")).to_be_checked()
    expect(reader.get_by_label("Daily letter")).to_be_checked()
    reader.close()


def send_campaign(page: Page) -> None:
    """The next campaign to the daily letter reaches Bob and not Ada."""
    page.goto(f"{ROOM}/campaigns/")
    page.get_by_role("button", name="New campaign").click()
    page.get_by_label("Name").fill("Today")
    page.get_by_role("button", name="Start writing").click()
    page.get_by_label("Daily letter").check()
    page.locator("#id_subject").fill("Today, {{ first_name }}")
    page.get_by_role("button", name="Test or send").click()
    page.get_by_role("button", name=re.compile(r"Send to \d+ p")).click()
    expect(page.locator("#report").get_by_role("status")).to_have_text("Sent", timeout=60_000)
    page.goto(f"{ROOM}/sandbox/")
    expect(page.get_by_role("link", name="Today, Bob")).to_have_count(1)
    expect(page.get_by_role("link", name="Today, Ada")).to_have_count(0)


def link_in(staff: Page, subject: str, path: str) -> str:
    """Return the link below ``path`` in the newest sandbox mail with this subject, once it is there."""
    for _ in range(60):
        staff.goto(f"{ROOM}/sandbox/")
        found = staff.get_by_role("link", name=re.compile(f"^{subject}"))
        if found.count():
            break
        staff.wait_for_timeout(500)
    found.first.click()
    message = message_from_bytes(staff.request.get(staff.url + "raw/").body(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    assert part is not None
    link = re.search(rf"http\S*({re.escape(path)}\S+)", part.get_content())
    assert link is not None, part.get_content()
    return link[1]


def origin(page: Page) -> str:
    """Return scheme, host and port of where the page is."""
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"
