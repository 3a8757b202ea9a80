"""The webhook pages: added, tried out, looked at, paused, replayed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.webhooks import services
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.selectors import reveal_secret
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Role
from postroom.kit import clock
from tests.core.webhooks.making import answer, make_endpoint, tell, turn
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def url(workspace: Workspace, rest: str = "") -> str:
    return f"/w/{workspace.slug}/webhooks/{rest}"


def add(client: Client, workspace: Workspace, **changes: Any) -> Endpoint:
    """Add a webhook as a person does."""
    said = {"url": "https://example.com/hook", "description": "Our shop", **changes}
    response = client.post(url(workspace, "new/"), said)
    assert response.status_code == 302, response.content.decode()[:3000]
    return Endpoint.objects.latest("pk")


def test_without_any_the_page_says_what_one_is_for(as_owner: Client, workspace: Workspace) -> None:
    page = as_owner.get(url(workspace)).content.decode()
    assert "No webhook yet" in page
    assert url(workspace, "new/") in page


def test_a_webhook_is_added_with_what_it_hears(as_owner: Client, workspace: Workspace) -> None:
    endpoint = add(as_owner, workspace, email_events=["email.bounced", "email.opened"])
    assert (endpoint.door, endpoint.event_types) == ("usesend", ["email.bounced", "email.opened"])
    page = as_owner.get(url(workspace, f"{endpoint.uid}/")).content.decode()
    assert reveal_secret(endpoint) in page
    assert "email.bounced, email.opened" in page
    assert "No call yet" in page
    assert "Our shop" in as_owner.get(url(workspace)).content.decode()


def test_the_other_format_and_a_secret_of_ones_own(as_owner: Client, workspace: Workspace) -> None:
    said = {"url": "https://example.com/", "secret": "a secret of our own"}
    assert as_owner.post(url(workspace, "new/?format=web"), said).status_code == 302
    endpoint = Endpoint.objects.get()
    assert (endpoint.door, reveal_secret(endpoint)) == ("web", "a secret of our own")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"url": ""}, "This field is required"),
        ({"url": "ftp://example.com"}, "https://"),
        ({"url": "http://10.0.0.1:99/"}, "Port 99"),
        ({"url": "https://example.com/", "secret": "short"}, "at least 16"),
        ({"url": "https://example.com/", "email_events": ["email.eaten"]}, "not one of the available"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_entered(
    as_owner: Client, workspace: Workspace, said: dict[str, Any], words: str
) -> None:
    response = as_owner.post(url(workspace, "new/"), said)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not Endpoint.objects.exists()


def test_a_test_leads_to_its_call_and_the_answer(as_owner: Client, workspace: Workspace) -> None:
    endpoint = add(as_owner, workspace)
    response = as_owner.post(url(workspace, f"{endpoint.uid}/test/"))
    call = Call.objects.get()
    assert response.headers["Location"] == url(workspace, f"calls/{call.uid}/")
    page = as_owner.get(response.headers["Location"]).content.decode()
    assert "Nothing yet" in page
    assert "hx-get" in page
    [delivery] = turn(now=clock.now())
    turn(answer(delivery, 503, now=clock.now(), text='{"error":"<b>down</b>"}'), most=0, now=clock.now())
    page = as_owner.get(response.headers["Location"]).content.decode()
    assert "Tried 1 of 6 times" in page
    assert "&lt;b&gt;down&lt;/b&gt;" in page
    assert "X-UseSend-Event: webhook.test" in page
    assert "X-UseSend-Signature" not in page
    assert "503" in as_owner.get(url(workspace, f"{endpoint.uid}/")).content.decode()


def test_it_is_changed_paused_switched_on_and_deleted(as_owner: Client, workspace: Workspace) -> None:
    endpoint = add(as_owner, workspace)
    page = url(workspace, f"{endpoint.uid}/")
    as_owner.post(f"{page}edit/", {"url": "https://example.com/new", "contact_events": ["contact.created"]})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.event_types) == ("https://example.com/new", ["contact.created"])
    assert "checked" in as_owner.get(f"{page}edit/").content.decode()
    as_owner.post(f"{page}pause/")
    endpoint.refresh_from_db()
    assert endpoint.status == "paused"
    assert f"{page}test/" not in as_owner.get(page).content.decode()
    as_owner.post(f"{page}resume/")
    endpoint.refresh_from_db()
    assert endpoint.status == "active"
    before = reveal_secret(endpoint)
    as_owner.post(f"{page}secret/", {"secret": ""})
    endpoint.refresh_from_db()
    assert reveal_secret(endpoint) != before
    assert "former secret" in as_owner.get(page).content.decode()
    as_owner.post(f"{page}delete/")
    assert not Endpoint.objects.exists()


def test_the_log_is_filtered_and_goes_on_page_by_page(as_owner: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace=workspace, door="usesend", now=clock.now())
    tell(workspace, 60, now=clock.now())
    tell(workspace, 1, type="email.bounced", now=clock.now())
    page = url(workspace, f"{endpoint.uid}/")
    fragment = as_owner.get(page, HTTP_HX_REQUEST="true").content.decode()
    assert fragment.count("/webhooks/calls/") == 50
    assert "<html" not in fragment
    last = Call.objects.order_by("-uid")[49].uid
    assert as_owner.get(f"{page}?before={last}").content.decode().count("/webhooks/calls/") == 11
    assert as_owner.get(f"{page}?type=email.bounced").content.decode().count("/webhooks/calls/") == 1
    assert "No such call" in as_owner.get(f"{page}?status=failed").content.decode()
    assert as_owner.get(f"{page}?status=nonsense&before=nonsense&type=x").status_code == 200


def test_failed_calls_are_replayed(as_owner: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace=workspace, now=clock.now())
    tell(workspace, 2, now=clock.now())
    services.pause_endpoint(workspace=workspace, uid=endpoint.uid, actor=SYSTEM, now=clock.now())
    services.resume_endpoint(workspace=workspace, uid=endpoint.uid, actor=SYSTEM, now=clock.now())
    call = Call.objects.first()
    assert call is not None
    as_owner.post(url(workspace, f"calls/{call.uid}/replay/"))
    assert sorted(Call.objects.values_list("status", flat=True)) == ["discarded", "pending"]
    as_owner.post(url(workspace, f"{endpoint.uid}/replay/"), {"hours": "1"})
    assert set(Call.objects.values_list("status", flat=True)) == {"pending"}


def test_viewers_look_and_do_not_see_the_secret(workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace=workspace, now=clock.now())
    viewer = make_user(workspace=workspace, role=Role.VIEWER)
    client = Client()
    client.login(email=viewer.email, password=PASSWORD)
    page = client.get(url(workspace, f"{endpoint.uid}/"))
    assert page.status_code == 200
    assert reveal_secret(endpoint) not in page.content.decode()
    assert client.get(url(workspace, "new/")).status_code == 403
    for act in ("test", "pause", "secret", "replay", "delete"):
        assert client.post(url(workspace, f"{endpoint.uid}/{act}/")).status_code == 403


def test_a_webhooks_page_costs_the_same_however_many_calls_it_had(as_owner: Client, workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace=workspace, now=clock.now())
    page = url(workspace, f"{endpoint.uid}/")
    counts = []
    for _ in range(2):
        tell(workspace, 200, now=clock.now() - timedelta(hours=1))
        as_owner.get(page)
        with CaptureQueriesContext(connection) as queries:
            as_owner.get(page)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
