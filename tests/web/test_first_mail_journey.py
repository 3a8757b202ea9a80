"""A new person, one browser, the real processes: a key, the command the page shows, and the mail that arrives."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.running import Running, seconds_until
from tests.web.browser import SHOTS, Watch, open_browser, take_shots

pytestmark = [pytest.mark.web, pytest.mark.timeout(400)]

EMAIL: Final = "o'hara@example.com"
PASSWORD: Final = "correct horse battery"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    seconds_until(running.is_ready, 180)
    made = running.run("createadmin", EMAIL, "--workspace", "newsroom", "--password", PASSWORD)
    assert made.returncode == 0, made.stderr
    yield running
    running.remove()


def test_from_signing_in_to_the_first_mail_that_arrived(running: Running) -> None:
    base = f"http://localhost:{running.web_port}"
    with open_browser(base) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch = Watch(page, base)
        sign_in(page)
        make_key(page)
        command, by_smtp = (page.locator(f"#snippet-{name}").text_content() or "" for name in ("curl", "smtp"))
        answer = run_in_terminal(command)
        assert "emailId" in answer
        see_it_arrive(page)
        page.get_by_role("link", name="See the message").click()
        read_message(page, str(answer["emailId"]))
        run_in_terminal(by_smtp)
        find_it_again(page)
        revoke_key(page)
        assert watch.surprises() == []


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("main").get_by_role("link", name="Send your first e-mail").click()
    expect(page.get_by_role("heading", name="Quick start")).to_be_visible()
    expect(page.get_by_text("Waiting for your first e-mail…")).to_be_visible()


def make_key(page: Page) -> None:
    page.get_by_role("button", name="Make a key").press("Enter")
    expect(page.get_by_text("This is your key.")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    assert secret in page.locator("#snippet-curl").inner_text()
    take_shots(page, "first mail key")


def run_in_terminal(command: str) -> dict[str, object]:
    """Paste the command as it stands on the page."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)) if done.stdout else {}


def see_it_arrive(page: Page) -> None:
    """The page says so by itself."""
    expect(page.get_by_text("It arrived.")).to_be_visible()
    take_shots(page, "first mail arrived")
    page.get_by_role("link", name="Read the mail").click()
    expect(page.frame_locator("iframe").get_by_text("It works.")).to_be_visible()
    take_shots(page, "first mail sandbox")
    page.go_back()
    expect(page.locator("#secret")).to_have_count(0)
    expect(page.locator("#snippet-curl")).to_contain_text("us_your_key")


def read_message(page: Page, email_id: str) -> None:
    assert email_id in page.url.replace("-", "")
    expect(page.get_by_text("Taken by the receiving server")).to_be_visible()
    expect(page.locator("#message").get_by_role("status")).to_have_text("Delivered The receiving side took it.")
    expect(page.get_by_text("with the key Quick start")).to_be_visible()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("It works.")).to_be_visible()
    page.get_by_role("link", name="Text", exact=True).press("Enter")
    expect(frame.locator("pre")).to_contain_text("It works.")
    page.get_by_role("link", name="Source", exact=True).press("Enter")
    expect(frame.locator("pre")).to_contain_text("<p")
    page.get_by_role("link", name="Mail", exact=True).press("Enter")
    page.get_by_role("heading", name="Headers").click()
    expect(page.get_by_text("Message-ID: <")).to_be_visible()
    page.locator("iframe").screenshot(path=SHOTS / "first-mail-frame.png")
    take_shots(page, "first mail message")


def find_it_again(page: Page) -> None:
    page.get_by_role("navigation", name="Workspace").get_by_role("link", name="Messages").click()
    expect(page.get_by_text("2 messages", exact=True)).to_be_visible()
    page.get_by_label("State").select_option("Delivered")
    page.get_by_role("button", name="Search").press("Enter")
    expect(page.get_by_role("link", name=EMAIL)).to_have_count(2, timeout=15_000)
    page.get_by_label("State").select_option("Bounced")
    page.get_by_role("button", name="Search").press("Enter")
    expect(page.get_by_text("Nothing found")).to_be_visible()


def revoke_key(page: Page) -> None:
    """A key that is revoked is refused, and the page shows when it was used."""
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("main").get_by_role("link", name="Quick start").click()
    expect(page.get_by_text("never", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Revoke the key").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("is revoked: whoever shows it is refused.")).to_be_visible()
