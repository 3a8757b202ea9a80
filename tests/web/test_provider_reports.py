"""The pages about what providers report."""

import base64
from datetime import timedelta

import httpx2
import pytest
from django.test import Client

from postroom.core.mail import services as mail
from postroom.core.mail.models import ProviderContact, ProviderEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.providers.esp import EspReports
from tests.factories import make_user
from tests.stand_ins.accounts import make_provider_sender

pytestmark = pytest.mark.django_db


def page(client: Client, workspace: Workspace, path: str) -> str:
    answer = client.get(f"/w/{workspace.slug}/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_account_shows_where_its_provider_reports_and_when_it_last_did(
    as_owner: Client, workspace: Workspace
) -> None:
    sender = make_provider_sender(workspace, "postmark")
    shown = page(as_owner, workspace, f"senders/{sender.uid}/")
    address = httpx2.URL(shown.partition('id="hook-events">')[2].partition("<")[0])
    assert address.path == f"/hooks/{sender.uid}/postmark/"
    assert address.username == "postroom"
    assert len(base64.urlsafe_b64decode(address.password + "==")) == 32
    assert "No event has come yet" in shown
    ProviderContact.objects.create(sender=sender, last_event_at=clock.now() - timedelta(minutes=3))
    assert "Last event 3\xa0minutes ago" in page(as_owner, workspace, f"senders/{sender.uid}/")


def test_only_administrators_see_the_address_with_its_password(workspace: Workspace) -> None:
    sender = make_provider_sender(workspace, "mailjet")
    member = Client()
    member.force_login(make_user(workspace=workspace, role=Role.MEMBER))
    shown = page(member, workspace, f"senders/{sender.uid}/")
    assert "/hooks/" not in shown
    assert member.get(f"/w/{workspace.slug}/senders/{sender.uid}/reports/").status_code == 403


def test_an_account_that_signs_shows_no_password(as_owner: Client, workspace: Workspace) -> None:
    sender = make_provider_sender(workspace, "resend")
    shown = page(as_owner, workspace, f"senders/{sender.uid}/")
    assert f"/hooks/{sender.uid}/resend/" in shown
    assert "postroom:" not in shown


def test_an_event_that_could_not_be_read_is_shown_and_read_again(as_owner: Client, workspace: Workspace) -> None:
    sender = make_provider_sender(workspace, "brevo")
    assert "Everything was read" in page(as_owner, workspace, f"senders/{sender.uid}/reports/")
    now = clock.now()
    event = ProviderEvent.objects.create(sender=sender, key="k", digest=b"", body=b"{", received_at=now)
    mail.read_deliveries(reader=EspReports(), now=now)
    assert "1 event could not be read" in page(as_owner, workspace, f"senders/{sender.uid}/").replace("</a>", "")
    shown = page(as_owner, workspace, f"senders/{sender.uid}/reports/")
    assert "JSONDecodeError" in shown
    answer = as_owner.post(f"/w/{workspace.slug}/senders/reports/{event.uid}/replay/")
    assert answer.headers["Location"] == f"/w/{workspace.slug}/senders/{sender.uid}/reports/"
    event.refresh_from_db()
    assert (event.parked_at, event.error) == (None, "")
