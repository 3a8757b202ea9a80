"""The pages of exports, privacy and erasure in a real browser, at desk and phone width."""

import os

import pytest
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ExportRun, PrivacyRequest
from postroom.core.contacts.selectors.privacy import PURPOSE
from postroom.core.contacts.types import ExportFormat, PrivacyRequestKind, RunStatus, Selection
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import SYSTEM, Role
from postroom.kit import clock
from postroom.kit.tokens import make_token
from tests.factories import make_actor, make_contact, make_list, make_workspace
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def make_exports(workspace: Workspace, owner: User) -> dict[str, ExportRun]:
    """Return one export of each state that looks different."""
    people = [make_contact(workspace=workspace, email=f"p{n}@example.com", first_name=f"P{n}") for n in range(30)]
    list_ = make_list(workspace=workspace, members=people[:5], name="Monthly letter")
    runs = {}
    for name, selection, format_ in (
        ("done", Selection(list_id=list_.pk), ExportFormat.CSV),
        ("failed", Selection(search="p1"), ExportFormat.XLSX),
        ("running", Selection(), ExportFormat.CSV),
    ):
        runs[name] = contacts.start_export(
            workspace=workspace, selection=selection, format=format_, actor=make_actor(owner), now=clock.now()
        )
    contacts.run_export(run_uid=runs["done"].uid, clock=clock.now)
    contacts.fail_export(run_uid=runs["failed"].uid, reason="The storage is full.", now=clock.now())
    ExportRun.objects.filter(pk=runs["running"].pk).update(
        status=RunStatus.RUNNING, processed_rows=312_000, total_rows=1_000_000, started_at=clock.now()
    )
    return runs


def test_the_pages_of_exports_and_privacy_look_right(
    live_server: object, as_owner: Client, workspace: Workspace, owner: User
) -> None:
    base, room = str(live_server), f"/w/{workspace.slug}"
    ada = make_contact(workspace=workspace, email="ada@example.com", first_name="Ada")
    bare = make_workspace()
    workspaces.add_member(
        user=owner, organization=bare.organization, workspace=bare, role=Role.ADMIN, actor=SYSTEM, now=clock.now()
    )
    runs = make_exports(
        workspace, owner
    )  # not beside the browser's loop, in which Django would open another connection
    links = {}
    for kind in PrivacyRequestKind:
        contacts.ask_privacy_link(workspace=workspace, email="ada@example.com", kind=kind, now=clock.now())
        links[kind] = f"/privacy/r/{make_token(PURPOSE, PrivacyRequest.objects.latest('pk').uid.bytes)}"
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        pages = {
            "exports": f"{room}/exports/",
            "exports empty": f"/w/{bare.slug}/exports/",
            "export new": f"{room}/exports/new/?q=p",
            "export done": f"{room}/exports/{runs['done'].uid}/",
            "export failed": f"{room}/exports/{runs['failed'].uid}/",
            "export running": f"{room}/exports/{runs['running'].uid}/",
            "erase person": f"{room}/contacts/{ada.uid}/erase/",
            "privacy ask": f"/privacy/{workspace.slug}/",
            "privacy export": links[PrivacyRequestKind.EXPORT],
            "privacy erase": links[PrivacyRequestKind.ERASURE],
        }
        for name, path in pages.items():
            page.goto(path)
            page.wait_for_timeout(400)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.emulate_media(color_scheme="dark")
        for name in ("export done", "privacy ask"):
            page.goto(pages[name])
            take_shots(page, f"{name} dark")
        page.emulate_media(color_scheme="light")

        page.goto(pages["export done"])
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename.endswith(".csv")
        page.goto(pages["privacy ask"])
        page.get_by_label("Your e-mail address").fill("ada@example.com")
        page.get_by_label("Erase my data").check()
        page.get_by_role("button", name="Send me the link").click()
        page.get_by_text("Look into your mailbox").wait_for()
        take_shots(page, "privacy asked")
        page.goto(pages["privacy erase"])
        page.get_by_role("button", name="Erase my data for good").click()
        page.get_by_text("Your data is erased").wait_for()
        take_shots(page, "privacy erased")
        assert watch.faults == []
        page.goto(pages["privacy erase"])
        take_shots(page, "privacy gone")
        page.get_by_role("heading", name="This link has served").wait_for()
