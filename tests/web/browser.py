"""A real browser for the tests that need one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Request, sync_playwright

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SHOTS: Final = Path(__file__).resolve().parent.parent.parent / "test-results"


@contextmanager
def open_browser(base_url: str) -> Iterator[BrowserContext]:
    """Yield a fresh profile of Debian's Chromium; skip where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context(base_url=base_url, viewport={"width": 1280, "height": 900})
        yield context
        browser.close()


class Watch:
    """Remembers what a page must not do: ask another host, break the policy, log an error."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.faults: list[str] = []
        self.blocked: list[str] = []
        self._base_url = base_url
        page.on("request", lambda request: self._judge_request(request.url))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("requestfailed", self._note_block)
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def surprises(self) -> list[str]:
        """Return every fault but what a mail shown on the page tried and the policy stopped."""
        return [fault for fault in self.faults if not any(url in fault for url in self.blocked)]

    def _note_block(self, request: Request) -> None:
        if "csp" in (request.failure or "").lower():
            self.blocked.append(request.url)

    def _judge_request(self, url: str) -> None:
        if not url.startswith((self._base_url, "data:", "blob:", "about:")):
            self.faults.append(f"foreign request: {url}")


def take_shots(page: Page, name: str) -> None:
    """Write a picture of the page at desk and phone width. Fails when the phone would have to scroll sideways."""
    SHOTS.mkdir(exist_ok=True)
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(400)
        page.screenshot(path=SHOTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{width}.png", full_page=True)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{name} is {wider} px too wide at {width}"
    page.set_viewport_size({"width": 1280, "height": 900})
