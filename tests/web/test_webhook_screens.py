"""The webhook pages in a real browser, at desk and phone width, with a lively log."""

import os
from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.webhooks import services
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.types import EndpointTerms, Occasion
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.kit.types import JSONObject
from tests.core.webhooks.making import answer, turn
from tests.web.browser import SHOTS, Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

MAIL: JSONObject = {
    "message": "019aa0c5-8f3c-7b21-8a52-0c64f5be0011",
    "at": "2026-11-20T11:59:00+00:00",
    "from": "Ada <ada@news.example.org>",
    "to": ["grace@example.com"],
    "subject": "What we built this month",
    "domain": 7,
    "contact": None,
    "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140",
    "ip": "192.0.2.17",
    "url": "https://news.example.org/what-we-built",
}


def make_lively(workspace: Workspace) -> Endpoint:
    """A webhook with a day of calls behind it, some of which failed, one waiting and one being made."""
    now = clock.now()
    terms = EndpointTerms(
        url="https://shop.example.com/hooks/postroom?source=newsletter", description="The shop's order service"
    )
    endpoint = services.create_endpoint(workspace=workspace, door="usesend", terms=terms, actor=SYSTEM, now=now)
    for number in range(60):
        kind = ("email.sent", "email.delivered", "email.opened", "email.clicked", "email.bounced")[number % 5]
        services.tell(workspace_id=workspace.pk, occasions=[Occasion(kind, MAIL)], now=now)
    for number in range(59):
        [delivery] = turn(now=now)
        code = 503 if number % 9 == 0 else 200
        turn(answer(delivery, code, now=now, text='{"ok":true,"order":17}'), most=0, now=now)
    for number, call in enumerate(Call.objects.filter(endpoint=endpoint).order_by("uid")):
        at = now - timedelta(hours=23 - number % 24)
        Call.objects.filter(pk=call.pk).update(created_at=at)
    Call.objects.filter(status="pending", attempts=1).update(status="failed", attempts=6, finished_at=now)
    return endpoint


def test_the_webhook_pages_look_right(live_server: object, as_owner: Client, workspace: Workspace, owner: User) -> None:
    base = str(live_server)
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        page.goto(f"/w/{workspace.slug}/webhooks/")
        take_shots(page, "webhooks none")
        endpoint = make_lively(workspace)
        off = EndpointTerms(url="https://old.example.com/hook", event_types=("email.bounced",))
        gone = services.create_endpoint(workspace=workspace, door="web", terms=off, actor=SYSTEM, now=clock.now())
        Endpoint.objects.filter(pk=gone.pk).update(
            status="disabled", disabled_at=clock.now(), last_code=500, last_failure_at=clock.now()
        )
        failed = Call.objects.filter(status="failed").latest("uid")
        pages = {
            "webhooks": "",
            "webhook new": "new/",
            "webhook": f"{endpoint.uid}/",
            "webhook off": f"{gone.uid}/",
            "webhook call": f"calls/{failed.uid}/",
        }
        for name, path in pages.items():
            page.goto(f"/w/{workspace.slug}/webhooks/{path}")
            page.wait_for_timeout(400)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.emulate_media(color_scheme="dark")
        page.goto(f"/w/{workspace.slug}/webhooks/{endpoint.uid}/")
        take_shots(page, "webhook dark")
        page.get_by_text("Show it").click()
        page.get_by_role("button", name="Copy the secret").wait_for()
        services.test_endpoint(workspace=workspace, uid=endpoint.uid, actor=SYSTEM, now=clock.now())
        page.locator("#log").get_by_text("webhook.test").first.wait_for(timeout=10_000)  # the log is live
        assert watch.faults == []
        assert (SHOTS / "webhook-390.png").exists()
