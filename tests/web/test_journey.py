"""One person, one browser, the real processes: sign in, import, write, send, watch the report."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import HTTPErrorProcessor, Request, build_opener

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import Running, seconds_until
from tests.web.browser import Watch, open_browser, take_shots

pytestmark = [pytest.mark.web, pytest.mark.timeout(400)]

EMAIL: Final = "owner@example.com"
PASSWORD: Final = "correct horse battery"
READERS: Final = 200
MAGIC: Final = ("bounce@example.com", "complaint@example.com", "reply@example.com")
# Gmail's proxy fetches pictures when a person opens a mail, however soon.
AGENT: Final = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


class StayHere(HTTPErrorProcessor):
    """Follows no redirect: where the link leads is not ours to visit."""

    def http_response(self, request: Request, response: object) -> object:
        return response


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    seconds_until(running.is_ready, 180)
    made = running.run("createadmin", EMAIL, "--workspace", "newsroom", "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    yield running
    running.remove()


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file with readers, the addresses that answer like real ones, and one row that is no person."""
    rows = [f"reader{number}@example.com,Reader {number},GB" for number in range(READERS)]
    rows += [f"{address},Magic,DE" for address in MAGIC]
    file = tmp_path / "people.csv"
    file.write_text("\n".join(("E-mail,First name,Country", *rows, "not-an-address,Nobody,FR")))
    return file


def test_from_signing_in_to_the_report(running: Running, people: Path) -> None:
    base = f"http://127.0.0.1:{running.web_port}"
    with open_browser(base) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch = Watch(page, base)
        sign_in(page)
        import_people(page, people)
        write_campaign(page)
        try_and_send(page)
        read_mail(page, base)
        read_report(page)
        assert watch.surprises() == []


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def import_people(page: Page, people: Path) -> None:
    page.get_by_role("link", name="Bring your people in").click()
    page.get_by_label("CSV file").set_input_files(people)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_label("First name", exact=True)).to_have_value("first_name")
    page.get_by_label("… or on a new list named").fill("Monthly letter")
    page.get_by_role("button", name="See what it would do").click()
    assert figure(page, "New people") == READERS + len(MAGIC)
    page.get_by_role("button", name="Start the import").click()
    expect(page.locator("#run").get_by_role("status")).to_have_text("Done", timeout=30_000)
    assert figure(page, "New people") == READERS + len(MAGIC)
    assert figure(page, "Rows refused") == 1
    expect(page.get_by_role("cell", name="not-an-address,Nobody,FR")).to_be_visible()
    assert is_quiet(page)
    take_shots(page, "journey import")
    page.get_by_role("link", name="See the contacts").click()
    page.get_by_placeholder("Search by name").fill("reader 17")
    expect(page.get_by_role("link", name="Reader 170")).to_be_visible()
    expect(page.get_by_role("link", name="Reader 99")).to_have_count(0)


def write_campaign(page: Page) -> None:
    page.get_by_role("link", name="Campaigns").click()
    page.get_by_role("button", name="New campaign").click()
    page.get_by_label("Name").fill("November letter")
    page.get_by_role("button", name="Start writing").click()
    expect(page.frame_locator("#preview").get_by_text("Hello Alex")).to_be_visible()
    page.get_by_label("Monthly letter").check()
    expect(page.locator("#audience")).to_contain_text(f"{READERS + len(MAGIC)} people")
    page.locator("#id_subject").fill("What is new, {{ first_name }}")
    body = page.locator("#id_body")
    body.fill(body.input_value().replace("News for you", "The November letter"))
    expect(page.frame_locator("#preview").get_by_text("The November letter")).to_be_visible()
    take_shots(page, "journey compose")
    page.get_by_role("button", name="Test or send").click()


def try_and_send(page: Page) -> None:
    page.get_by_label("Send a test to").fill("me@example.com")
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_role("status").first).to_contain_text("The test is on its way")
    page.get_by_role("button", name="Test or send").click()
    page.get_by_role("button", name=f"Send to {READERS + len(MAGIC)} people").click()
    expect(page.locator("#report").get_by_role("status")).to_have_text("Sent", timeout=60_000)
    assert is_quiet(page)


def read_mail(page: Page, base: str) -> None:
    """Open one reader's mail in the sandbox, load its picture and follow its link as they would."""
    report = page.url
    page.get_by_role("link", name="Sandbox mail").click()
    page.get_by_role("link", name="What is new, Reader").first.click()
    expect(page.frame_locator("iframe").get_by_text("The November letter")).to_be_visible()
    take_shots(page, "journey sandbox mail")
    raw = page.request.get(page.url + "raw/").body()
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    part = message.get_body(("html",))
    assert part is not None
    html = part.get_content()
    for pattern in (r'http[^"]*/o/[^"]+', r'http[^"]*/c/[^"]+'):
        found = re.search(pattern, html)
        assert found is not None
        fetch(base + urlsplit(found[0]).path)
    page.goto(report)


def fetch(url: str) -> None:
    with build_opener(StayHere).open(Request(url, headers={"User-Agent": AGENT}), timeout=10) as response:
        assert response.status in (200, 302)


def read_report(page: Page) -> None:
    """Wait until everything the readers did has come back, then compare."""
    told = {"Opened": 1, "Complained": 1, "Replied": 1}
    for _ in range(60):
        figures = {name: figure(page, name) for name in told}
        if figures == told and "1 bounced" in page.locator(".sum").inner_text():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert figures == told
    total = READERS + len(MAGIC)
    numbers = [int(text) for text in page.locator(".sum strong").all_inner_texts()]
    assert numbers == [total, total - 1, 1, 0, 0]
    expect(page.get_by_role("cell", name="https://example.com/")).to_be_visible()
    take_shots(page, "journey report")
    page.get_by_role("link", name="Contacts").click()
    page.get_by_placeholder("Search by name").fill("bounce@")
    expect(page.locator("#contacts tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Magic").click()
    expect(page.get_by_text("Hard bounce", exact=True)).to_be_visible()
    take_shots(page, "journey contact")
    page.get_by_role("link", name="Overview").click()
    take_shots(page, "journey overview")


def is_quiet(page: Page) -> bool:
    """Whether a page that has nothing live to show any more asks for nothing."""
    asked: list[str] = []
    page.wait_for_timeout(500)
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    return not asked


def figure(page: Page, name: str) -> int:
    """Return the number under the word ``name``."""
    return int(page.locator(f"div:has(> dt:text-is('{name}')) > dd").inner_text().split()[0])
