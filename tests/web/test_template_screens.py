"""The pages of templates in a real browser, at desk and phone width, light and dark."""

import os

import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import Template
from postroom.core.mail.types import Composition, NewTemplate
from postroom.core.workspaces.models import User, Workspace
from postroom.kit import clock
from tests.factories import make_actor
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def test_the_pages_of_templates_look_right(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User
) -> None:
    base, room = str(live_server), f"/w/{workspace.slug}"
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        page.goto(f"{room}/templates/")
        take_shots(page, "templates none")
        page.get_by_role("button", name="New template").press("Enter")
        page.get_by_label("Name").fill("Receipt")
        page.get_by_role("button", name="Start from an example").press("Enter")
        page.wait_for_url("**/templates/*-*/")
        page.get_by_label("order_number").fill("2026-17")
        page.frame_locator("#preview").get_by_text("Your order 2026-17 is on its way.").wait_for()
        take_shots(page, "template")
        assert page.evaluate(FLAWS) == []
        page.get_by_role("button", name="Phone").first.click()
        take_shots(page, "template phone")
        page.get_by_label("Body").fill("<mjml>\n{{ x | shout }}</mjml>")
        page.get_by_role("button", name="Save the template").click()
        page.get_by_text("Line 2: unknown filter").first.wait_for()
        take_shots(page, "template broken")
        for number in range(3):
            new = NewTemplate(
                name=f"A template with quite a long name, number {number}",
                composition=Composition(subject="Your order {{ order_number }} " * 4, body="<p>x</p>"),
            )
            mail.create_template(workspace=workspace, new=new, actor=make_actor(owner), now=clock.now())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.goto(f"{room}/templates/")
            take_shots(page, f"templates {scheme}")
            assert page.evaluate(FLAWS) == []
        page.goto(f"{room}/templates/{Template.objects.get(name='Receipt').uid}/")
        take_shots(page, "template dark")
        assert watch.faults == []
