"""The pages a developer meets first in a real browser, at desk and phone width, light and dark."""

import os
from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.mail.models import Message, SandboxMail
from postroom.core.mail.types import MessageStatus
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import ApiKey, User, Workspace
from postroom.core.workspaces.types import SEND_SCOPE, Door, NewKey
from postroom.kit import clock
from tests.factories import make_actor
from tests.ledger import make_message
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def make_keys(workspace: Workspace, user: User) -> ApiKey:
    """A key in every state; the one to look at."""
    now = clock.now()
    orders = (
        NewKey(Door.CRM, "The spreadsheet of the sales team"),
        NewKey(Door.USESEND, "An old key", expires_at=now - timedelta(days=3)),
        NewKey(Door.USESEND, "A key that leaked"),
        NewKey(Door.USESEND, "Shop", (SEND_SCOPE,), "news.example.org", now + timedelta(days=90)),
    )
    for new in orders:
        key, _ = workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=now)
        if "leaked" in new.name:
            workspaces.revoke_api_key(workspace=workspace, uid=key.uid, actor=make_actor(user), now=now)
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def test_the_pages_a_developer_meets_first_look_right(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User
) -> None:
    base, room = str(live_server), f"/w/{workspace.slug}"
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        for name in ("", "messages/", "keys/", "start/"):
            page.goto(f"{room}/{name}")
            take_shots(page, f"{name or 'overview '}none")
            assert page.evaluate(FLAWS) == []
        page.reload()  # taking pictures leaves marks on the fields, which the policy would not let HTMX move
        page.get_by_role("button", name="Make a key").press("Enter")
        page.get_by_text("This is your key.").wait_for()
        take_shots(page, "start key")
        page.locator("#tongue-curl").focus()
        for tongue in ("python", "javascript"):
            page.keyboard.press("ArrowRight")
            page.locator(f"#snippet-{tongue}").wait_for()
            take_shots(page, f"start {tongue}")
        message = make_message(
            workspace=workspace, api_key_id=ApiKey.objects.get().pk, status=MessageStatus.QUEUED, sent_at=None
        )
        page.get_by_text("It is accepted, and on its way…").wait_for()
        assert page.locator("#tick-send").inner_text().strip() == "Done:"
        take_shots(page, "start on its way")
        now = clock.now()
        SandboxMail.objects.create(workspace=workspace, message_id=message.pk, raw=b"x", size=1, received_at=now)
        Message.objects.filter(pk=message.pk).update(status=MessageStatus.SENT, sent_at=now, delivered_at=now)
        page.get_by_text("It arrived.").wait_for()
        assert page.locator("#snippet-javascript").is_visible(), "the language that was chosen stays"
        take_shots(page, "start arrived")
        page.emulate_media(color_scheme="dark")
        take_shots(page, "start arrived dark")
        key = make_keys(workspace, owner)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for name, path in {"keys": "keys/", "key": f"keys/{key.uid}/"}.items():
                page.goto(f"{room}/{path}")
                take_shots(page, f"{name} {scheme}")
                assert page.evaluate(FLAWS) == []
        page.goto(f"{room}/keys/")
        page.get_by_label("Name").fill("Shop of the south")
        page.get_by_label("Sending only").check()
        page.get_by_role("button", name="Make the key").press("Enter")
        page.get_by_text("Shop of the south is made").wait_for()
        take_shots(page, "key made")
        assert page.evaluate(FLAWS) == []
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy the secret").press("Enter")
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == page.locator("#secret").inner_text()
        page.goto(f"{room}/keys/{key.uid}/")
        page.get_by_role("button", name="Revoke the key").press("Enter")
        take_shots(page, "key revoke")
        page.get_by_role("dialog").get_by_role("button", name="Revoke it").press("Enter")
        page.get_by_text("The key Shop is revoked").wait_for()
        assert watch.surprises() == []
