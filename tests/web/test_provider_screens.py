"""The pages of an account at a provider, as they look."""

from datetime import timedelta

import pytest
from django.test import Client

from postroom.core.mail.models import ProviderContact, ProviderEvent
from postroom.core.workspaces.models import Workspace
from postroom.kit import clock
from tests.stand_ins.accounts import make_provider_sender
from tests.web.browser import Watch, open_browser, take_shots
from tests.web.test_screenshots import FLAWS

pytestmark = [pytest.mark.web, pytest.mark.django_db(transaction=True)]


def test_the_pages_of_a_provider_look_right(live_server: object, as_owner: Client, workspace: Workspace) -> None:
    base, now = str(live_server), clock.now()
    sender = make_provider_sender(workspace, "postmark", name="Newsletters by Postmark")
    fresh = make_provider_sender(workspace, "ses", name="Receipts by Amazon")
    ProviderContact.objects.create(
        sender=sender, last_event_at=now - timedelta(minutes=3), fetched_until=now - timedelta(minutes=7)
    )
    for number, error in enumerate(("KeyError: 'RecordType'", "JSONDecodeError: Expecting value: line 1 column 1")):
        at = now - timedelta(hours=number + 1)
        ProviderEvent.objects.create(
            sender=sender,
            key=str(number),
            digest=b"",
            body=b"{}",
            error=error,
            attempts=1,
            received_at=at,
            parked_at=at,
        )
    pages = {
        "sender provider": f"senders/{sender.uid}/",
        "sender provider fresh": f"senders/{fresh.uid}/",
        "sender reports": f"senders/{sender.uid}/reports/",
        "sender reports none": f"senders/{fresh.uid}/reports/",
        "sender new resend": "senders/new/?provider=resend",
    }
    with open_browser(base) as context:
        page = context.new_page()
        watch = Watch(page, base)
        context.add_cookies([{"name": "sessionid", "value": as_owner.cookies["sessionid"].value, "url": base}])
        for name, path in pages.items():
            page.goto(f"/w/{workspace.slug}/{path}")
            page.wait_for_timeout(300)
            take_shots(page, name)
            assert page.evaluate(FLAWS) == [], name
        assert watch.faults == []
