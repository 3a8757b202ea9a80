"""The pages of the ledger in a real browser, at desk and phone width, light and dark."""

import os
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, Message
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.services.transcripts import keep_transcripts
from postroom.core.mail.types import EventType, Hit, MessageClass, MessageStatus
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.factories import make_contact
from tests.ledger import make_batch, make_content, make_message, make_sender
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
# Playwright keeps an event loop in this thread, and Django would refuse to touch the database beside one.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
SESSION = (
    "mx1.mail.example:25 [192.0.2.25], TLSv1.3 TLS_AES_256_GCM_SHA384\n"
    "220 mx1.mail.example ESMTP Postfix\n250-PIPELINING\n250-SIZE 52428800\n250 SMTPUTF8"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def make_ledger(workspace: Workspace) -> dict[str, Message]:
    """One message in every state, those to look at by name."""
    now = clock.now()
    ada = make_contact(workspace=workspace, email="ada.lovelace@engines.example", first_name="Ada")
    content = make_content(workspace=workspace, urls=["https://example.com/offers/november?from=letter"])
    html = "<body style='background:#f3f4f6'><h1>News for {{ first_name }}</h1><p>This is the letter.</p></body>"
    type(content).objects.filter(pk=content.pk).update(html=html, subject="What we built in November")
    desk = make_sender(workspace=workspace)
    make_sender(workspace=workspace)
    shared: dict[str, Any] = {
        "workspace": workspace,
        "content": content,
        "sender": desk,
        "created_at": now - timedelta(hours=5),
    }
    for number, status in enumerate(MessageStatus.values):
        sent_at = now if status == MessageStatus.SENT else None
        make_message(**shared, status=status, to=[f"reader{number}@example.com"], sent_at=sent_at)
    batch = make_batch(workspace=workspace, content=content)
    sent_at = now - timedelta(hours=4)
    read = make_message(
        **shared,
        batch=batch,
        contact=ada,
        to=[ada.email],
        sent_at=sent_at,
        delivered_at=sent_at,
        destination="google",
        tries=1,
    )
    waiting = make_message(
        **shared,
        to=["grace.hopper@navy.example", "copy@navy.example"],
        status=MessageStatus.DEFERRED,
        message_class=MessageClass.TRANSACTIONAL,
        sent_at=None,
        tries=1,
        next_attempt_at=now + timedelta(minutes=14),
        headers={"X-Order": "4711"},
    )
    doubt = make_message(**shared, status=MessageStatus.IN_DOUBT, sent_at=None, to=["nobody.knows@example.com"])
    _tell(read, waiting)
    return {"read": read, "waiting": waiting, "in doubt": doubt}


def _tell(read: Message, waiting: Message) -> None:
    now = clock.now()
    hits = [
        Hit(f"{read.pk}-{number}", type_, read.pk, now - timedelta(hours=3, minutes=-number), link, agent=agent)
        for number, (type_, link, agent) in enumerate(
            [(EventType.OPENED, None, "curl/8"), (EventType.OPENED, None, FIREFOX), (EventType.CLICKED, 0, FIREFOX)]
        )
    ]
    mail.store_hits(hits=hits)
    mail.apply_hits(now=now)
    refused = Result(
        Outcome.DEFERRED,
        451,
        "4.7.1",
        "<grace.hopper@navy.example>: Recipient address rejected: Greylisted, see http://postgrey.example/help",
        session=SESSION,
        dialogue="MAIL FROM: 250 2.1.0 Ok\nRCPT TO: 451 4.7.1 Greylisted",
    )
    put_off = Handover(waiting.pk, (now - timedelta(minutes=1)).timestamp(), refused)
    keep_transcripts(workspace_id=waiting.workspace_id, handovers=[put_off], now=now)
    went_well = Result(Outcome.SENT, 250, session=SESSION, dialogue="MAIL FROM: 250 2.1.0 Ok\nRCPT TO: 250 2.1.5 Ok")
    keep_transcripts(workspace_id=read.workspace_id, handovers=[Handover(read.pk, 1.0, went_well)], now=now)
    Message.objects.filter(pk=read.pk).update(reply_text="2.0.0 Ok: queued as 4F2B1C2D3E")
    DeliveryEvent.objects.create(
        key=f"deferred:{waiting.pk}:1",
        workspace_id=waiting.workspace_id,
        message_id=waiting.pk,
        type="deferred",
        at=now - timedelta(minutes=1),
        data={"code": 451, "enhanced": "4.7.1", "text": "Greylisted", "kind": "greylisted"},
    )


def test_every_page_of_the_ledger_looks_right(live_server: object, as_owner: Client, workspace: Workspace) -> None:
    base, room = str(live_server), f"/w/{workspace.slug}/messages"
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        page.goto(f"{room}/")
        take_shots(page, "messages none")
        shown = make_ledger(workspace)
        pages = {
            "messages": "/",
            "messages none found": "/?q=nobody",
            **{f"message {name}": f"/{message.uid}/" for name, message in shown.items()},
        }
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for name, path in pages.items():
                page.goto(f"{room}{path}")
                if name.startswith("message "):
                    page.locator("iframe").scroll_into_view_if_needed()
                    page.frame_locator("iframe").get_by_text("This is the letter.").wait_for()
                take_shots(page, f"{name} {scheme}")
                assert page.evaluate(FLAWS) == [], name
        page.goto(f"{room}/{shown['in doubt'].uid}/")
        page.get_by_role("button", name="Send it again").click()
        take_shots(page, "message sent again")
        page.get_by_role("dialog").get_by_role("button", name="Send it again").click()
        page.get_by_text("It is tried as soon as a sender is free.").wait_for()
        page.goto(f"{room}/{shown['waiting'].uid}/")
        page.get_by_role("button", name="Try it now").press("Enter")
        page.get_by_text("It is sent as soon as").or_(page.get_by_text("Next try as soon as")).wait_for()
        assert watch.surprises() == []
