"""The sender pages in a real browser: plan against actual, limits, a test mail, and the banner of the panic stop."""

import os

import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message, SenderAccount
from postroom.core.workspaces.models import User, Workspace
from postroom.kit import clock
from tests.factories import make_actor
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS
from tests.web.test_sender_pages import make_lively_sender

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def test_the_sender_pages_look_right(live_server: object, as_owner: Client, workspace: Workspace, owner: User) -> None:
    base, now, actor = str(live_server), clock.now(), make_actor(owner)
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    sender = make_lively_sender(workspace, now)
    mail.ensure_sandbox_sender(workspace=workspace, actor=actor, now=now)
    mail.choose_relay(workspace=workspace, uid=sender.uid, is_on=True, actor=actor, now=now)
    domain = mail.create_domain(workspace=workspace, name="acme.example", actor=actor, now=now)
    carried = mail.ensure_carried_sender(workspace=workspace, domain=domain, now=now)
    mail.want_verification(workspace=workspace, uid=domain.uid, actor=actor, now=now)
    failing = SenderAccount.objects.get(name="Sandbox")
    mail.report_sender_failure(sender_id=failing.pk, error="421 4.3.2 too busy", permanent=False, now=now)
    tested = mail.send_sender_test(workspace=workspace, uid=sender.uid, to="me@example.org", actor=actor, now=now)
    Message.objects.filter(pk=tested.id).update(
        status="failed",
        reply_code=550,
        reply_text="5.7.26 This mail has been blocked because the sender is unauthenticated.",
    )
    pages = {
        "senders": "senders/",
        "sender": f"senders/{sender.uid}/?test={tested.uid}",
        "sender fresh": f"senders/{failing.uid}/",
        "sender carried": f"senders/{carried.uid}/",
        "sender carried edit": f"senders/{carried.uid}/edit/",
        "domain awaited": f"domains/{domain.uid}/",
        "sender edit": f"senders/{sender.uid}/edit/",
        "sender new": "senders/new/?provider=ses",
    }
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        for name, path in pages.items():
            page.goto(f"/w/{workspace.slug}/{path}")
            page.wait_for_timeout(400)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.goto(f"/w/{workspace.slug}/senders/")
        page.get_by_text("Set a limit").click()
        take_shots(page, "limit new")
        page.get_by_role("button", name="Stop all mail").click()
        page.locator("#stop-all").get_by_role("button", name="Stop all mail").click()
        page.get_by_text("All mail of this workspace is stopped.").wait_for()
        take_shots(page, "stopped")
        page.emulate_media(color_scheme="dark")
        page.goto(f"/w/{workspace.slug}/senders/{sender.uid}/")
        page.wait_for_timeout(400)
        take_shots(page, "sender dark")
        assert watch.faults == []
