"""Analytics through the useSend dialect."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.mail import services as mail
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.services import fold_tallies
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door
from postroom.kit import clock
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_workspace
from tests.ledger import make_message, make_sender
from tests.stand_ins.domains import make_keys_once

pytestmark = pytest.mark.django_db

NOTHING = {"sent": 0, "delivered": 0, "opened": 0, "clicked": 0, "bounced": 0, "complained": 0}


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.USESEND)


def sender_of(workspace: Workspace, name: str) -> SenderAccount:
    domain = mail.create_domain(workspace=workspace, name=name, actor=SYSTEM, now=NOW)
    sender = make_sender(workspace=workspace)
    SenderAccount.objects.filter(pk=sender.pk).update(domain=domain)
    sender.refresh_from_db()
    return sender


def series(client: ApiClient, query: str = "") -> Any:
    answer = client.get(f"/v1/analytics/email-time-series{query}")
    assert answer.status == 200, answer.body
    return answer.body


def test_each_day_is_there_oldest_first_also_those_without_mail(client: ApiClient) -> None:
    now = clock.now()
    shown = series(client)
    assert len(shown["result"]) == 31
    assert shown["result"][-1] == {"date": f"{now:%b %d}", **NOTHING}
    assert shown["result"][0]["date"] == f"{now - timedelta(days=30):%b %d}"
    assert shown["totalCounts"] == NOTHING
    assert len(series(client, "?days=7")["result"]) == 8


def test_what_became_of_mail_is_counted_on_its_day(client: ApiClient, workspace: Workspace) -> None:
    now = clock.now()
    before, long_ago = now - timedelta(days=2), now - timedelta(days=20)
    make_message(workspace=workspace, sent_at=before, delivered_at=before, opened_at=now, clicked_at=now)
    make_message(workspace=workspace, sent_at=before, bounced_at=before)
    make_message(workspace=workspace, sent_at=long_ago, delivered_at=long_ago, complained_at=long_ago)
    make_message(workspace=workspace, sent_at=now, delivered_at=now, is_test=True)
    make_message(workspace=make_workspace(slug="other"), sent_at=now, delivered_at=now)
    for _ in range(2):  # loose rows and folded ones count alike
        week = series(client, "?days=7")
        day = next(one for one in week["result"] if one["date"] == f"{before:%b %d}")
        assert (day["sent"], day["delivered"], day["bounced"]) == (2, 1, 1)
        assert (week["result"][-1]["opened"], week["result"][-1]["clicked"]) == (1, 1)
        assert week["totalCounts"] == {**NOTHING, "sent": 2, "delivered": 1, "opened": 1, "clicked": 1, "bounced": 1}
        assert series(client)["totalCounts"]["sent"] == 3
        rates = client.get("/v1/analytics/reputation-metrics").body
        assert (rates["delivered"], rates["hardBounced"], rates["complained"]) == (2, 1, 1)
        assert (rates["bounceRate"], rates["complaintRate"]) == (50.0, 50.0)
        fold_tallies(limit=1000)


def test_nothing_delivered_is_no_rate(client: ApiClient) -> None:
    told = {"delivered": 0, "hardBounced": 0, "complained": 0, "bounceRate": 0, "complaintRate": 0}
    assert client.get("/v1/analytics/reputation-metrics").body == told


def test_a_domains_mail_is_counted_apart(
    client: ApiClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys_once(monkeypatch)
    acme, shop = sender_of(workspace, "acme.example"), sender_of(workspace, "shop.example")
    now = clock.now()
    make_message(workspace=workspace, sender=acme, sent_at=now, delivered_at=now)
    make_message(workspace=workspace, sender=shop, sent_at=now, bounced_at=now)
    bound = make_client(workspace=workspace, door=Door.USESEND, mail_domain="shop.example")
    assert series(client, f"?domainId={acme.domain_id}")["totalCounts"]["delivered"] == 1
    assert series(client, f"?domainId={shop.domain_id}")["totalCounts"]["delivered"] == 0
    assert series(client, "?domainId=99")["totalCounts"] == series(client, "?domainId=x")["totalCounts"] == NOTHING
    assert series(bound, f"?domainId={acme.domain_id}")["totalCounts"]["bounced"] == 1
    assert client.get(f"/v1/analytics/reputation-metrics?domainId={acme.domain_id}").body["hardBounced"] == 0
    assert bound.get("/v1/analytics/reputation-metrics").body["hardBounced"] == 1


def test_other_days_than_those_offered_are_told_in_issues(client: ApiClient) -> None:
    answer = client.get("/v1/analytics/email-time-series?days=14")
    assert answer.status == 400
    assert answer.body["error"]["issues"] == [
        {
            "code": "invalid_enum_value",
            "received": "14",
            "options": ["7", "30"],
            "path": ["days"],
            "message": "Invalid enum value. Expected '7' | '30', received '14'",
        }
    ]


def test_costs_do_not_grow_with_the_mail(client: ApiClient, workspace: Workspace) -> None:
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    paths = ("/v1/analytics/email-time-series", "/v1/analytics/reputation-metrics")
    before = [cost(path) for path in paths for _ in range(2)][1::2]
    for number in range(20):
        make_message(workspace=workspace, sent_at=clock.now() - timedelta(days=number))
    assert [cost(path) for path in paths] <= before
