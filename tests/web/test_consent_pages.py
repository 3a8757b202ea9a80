"""Pictures of the pages about consent: lists, topics, suppressions, and what readers of mail see."""

import io
from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ListMember, Suppression
from postroom.core.contacts.rules.links import confirm_token, preference_token
from postroom.core.contacts.types import (
    ConfirmLink,
    ListTerms,
    NewSuppression,
    SuppressionReason,
    SuppressionScope,
    Upload,
)
from postroom.core.mail.rules import tokens
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from tests.edge.readers import make_letter, make_reader
from tests.factories import make_contact
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LONG = "a.very.long.address.that.somebody.really.has.with.many.parts@a-rather-long-domain-name.example.org"


@pytest.fixture
def filled(workspace: Workspace) -> dict[str, str]:
    """A workspace with a bit of everything; the addresses of its pages by name."""
    now = clock.now()
    terms = ListTerms("Monthly letter", "What we built, once a month.", is_public=True, is_double_opt_in=True)
    asking = contacts.create_list(workspace=workspace, name="x", actor=SYSTEM, now=now)
    contacts.update_list(workspace=workspace, list_id=asking.pk, terms=terms, actor=SYSTEM, now=now)
    plain = contacts.create_list(workspace=workspace, name="Product updates", actor=SYSTEM, now=now)
    terms = ListTerms("Product updates", "Small things, as they happen.", is_public=True)
    contacts.update_list(workspace=workspace, list_id=plain.pk, terms=terms, actor=SYSTEM, now=now)
    for name, said in (("Product news", "New things you can do."), ("Offers", "Now and then something cheaper.")):
        topic = contacts.create_category(
            workspace=workspace, name=name, slug=name.lower().replace(" ", "-"), description=said, actor=SYSTEM, now=now
        )
    reader = make_reader(workspace, plain, asking)
    waiting = make_contact(workspace=workspace)
    ListMember.objects.create(list=asking, contact=waiting, status="pending", created_at=now, updated_at=now)
    entries = [
        NewSuppression("gone@example.com", SuppressionReason.HARD_BOUNCE, "550 5.1.1 no such user"),
        NewSuppression(LONG, SuppressionReason.MANUAL, "Asked by phone never to be written to again."),
        NewSuppression("angry@example.com", SuppressionReason.COMPLAINT),
    ]
    contacts.suppress_addresses(
        workspace=workspace, entries=entries, scope=SuppressionScope.WORKSPACE, source="t", actor=SYSTEM, now=now
    )
    run = contacts.start_suppression_file(
        workspace=workspace,
        upload=Upload(io.BytesIO(b"email,reason\nx@example.com,bounce\nnonsense,\ny@example.com,weather\n"), "old.csv"),
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        actor=SYSTEM,
        now=now,
    )
    contacts.run_suppression_file(run_uid=run.uid, clock=clock.now)
    room = f"/w/{workspace.slug}/"
    late = now - timedelta(days=8)
    return {
        "lists": f"{room}lists/",
        "list": f"{room}lists/{asking.uid}/",
        "list people": f"{room}lists/{asking.uid}/people/",
        "list double opt-in": f"{room}lists/{asking.uid}/confirmation/",
        "topics": f"{room}topics/",
        "topic": f"{room}topics/{topic.uid}/",
        "suppressions": f"{room}suppressions/",
        "suppressions none found": f"{room}suppressions/?q=nobody",
        "suppression": f"{room}suppressions/{Suppression.objects.get(email='angry@example.com').uid}/",
        "suppression new": f"{room}suppressions/add/",
        "suppression file": f"{room}suppressions/file/",
        "suppression run": f"{room}suppressions/files/{run.uid}/",
        "reader preferences": f"/p/{preference_token(workspace.pk, reader.pk)}",
        "reader preferences ask": f"/preferences/{workspace.slug}/",
        "reader preferences where": "/p/",
        "reader confirm": f"/confirm/{confirm_token(ConfirmLink(asking.pk, waiting.pk, now))}",
        "reader confirm late": f"/confirm/{confirm_token(ConfirmLink(asking.pk, waiting.pk, late))}",
        "reader unsubscribe": f"/u/{tokens.unsubscribe_token(make_letter(workspace, reader, plain).pk)}",
    }


def test_every_page_about_consent_looks_right(live_server: object, as_owner: Client, filled: dict[str, str]) -> None:
    base = str(live_server)
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        for name, path in filled.items():
            page.goto(path)
            page.wait_for_timeout(500)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        page.emulate_media(color_scheme="dark")
        for name in ("reader preferences", "suppressions", "list"):
            page.goto(filled[name])
            page.wait_for_timeout(500)
            take_shots(page, f"{name} dark")
        faults = [fault for fault in watch.faults if "410" not in fault]
        assert faults == []
