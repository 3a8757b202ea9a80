"""Domains through the useSend dialect: added, verified against a real name server, listed and deleted."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from postroom.core.mail import services as mail
from postroom.core.mail.models import Domain, DomainRecord, Message, SenderAccount
from postroom.core.mail.types import NewSender, Provider, RecordStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, Role
from postroom.kit import clock
from tests.api.clients import ApiClient, make_client
from tests.factories import NOW, make_workspace
from tests.ledger import make_message
from tests.stand_ins.dns import Zone, serve_names
from tests.stand_ins.domains import look_up, make_keys_once, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def zone() -> Iterator[Zone]:
    with serve_names() as served:
        yield served


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Workspace:
    make_keys_once(monkeypatch)
    settings.MAIL_HOST = "mx.postroom.example"
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> ApiClient:
    return make_client(workspace=workspace, door=Door.USESEND, role=Role.ADMIN)


def add(client: ApiClient, name: str = "news.acme.co.uk") -> dict[str, Any]:
    made = client.post("/v1/domains", {"name": name, "region": "eu-west-1"})
    assert made.status == 200, made.body
    return dict(made.body)


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_a_domain_comes_with_the_records_to_publish(client: ApiClient, workspace: Workspace) -> None:
    made = add(client, "News.Acme.co.uk")
    domain = Domain.objects.get()
    assert (made["id"], made["name"], made["teamId"]) == (domain.pk, "news.acme.co.uk", workspace.pk)
    assert (made["status"], made["dkimStatus"], made["spfDetails"]) == ("PENDING", "NOT_STARTED", "NOT_STARTED")
    assert (made["region"], made["subdomain"], made["isVerifying"]) == ("eu-west-1", "news", False)
    assert (made["clickTracking"], made["openTracking"], made["dmarcAdded"]) == (False, False, False)
    assert (domain.tracks_opens, domain.tracks_clicks) == (False, False)
    shown = [(one["type"], one["name"], one["recommended"], one["priority"]) for one in made["dnsRecords"]]
    assert shown == [
        ("MX", "bounces.news", True, "10"),
        ("TXT", "postroom._domainkey.news", False, None),
        ("TXT", "news", False, None),
        ("TXT", "bounces.news", True, None),
        ("TXT", "_dmarc.news", False, None),
    ]
    values = [one["value"] for one in made["dnsRecords"]]
    assert values[0] == "mx.postroom.example"
    assert values[1] == f"v=DKIM1; k=rsa; p={made['publicKey']}"
    assert values[2].startswith("v=spf1 ")
    assert values[4] == "v=DMARC1; p=none"
    assert {one["ttl"] for one in made["dnsRecords"]} == {"Auto"}
    assert {one["status"] for one in made["dnsRecords"]} == {"NOT_STARTED"}
    assert client.get(f"/v1/domains/{made['id']}").body == made


def test_a_domain_that_is_the_zone_itself_is_written_so(client: ApiClient) -> None:
    made = add(client, "acme.example")
    assert made["subdomain"] == ""
    assert [one["name"] for one in made["dnsRecords"]] == ["bounces", "postroom._domainkey", "@", "bounces", "_dmarc"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"name": "not a name", "region": "us-east-1"}, 400, ("BAD_REQUEST", "'not a name' is not a domain name.")),
        ({"name": "acme.example", "region": "moon-1"}, 400, ("BAD_REQUEST", "There is no region 'moon-1'.")),
        (
            {"name": "taken.example", "region": "us-east-1"},
            409,
            ("NOT_UNIQUE", "The domain taken.example is already here."),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_added_is_refused(client: ApiClient, body: Any, status: int, told: tuple[str, str]) -> None:
    add(client, "taken.example")
    answer = client.post("/v1/domains", body)
    assert (answer.status, answer.body) == (status, error(*told))
    assert Domain.objects.count() == 1


def test_a_name_is_free_in_another_workspace(client: ApiClient) -> None:
    add(client)
    other = make_client(workspace=make_workspace(slug="other"), door=Door.USESEND, role=Role.ADMIN)
    add(other)


def test_an_unfit_body_is_told_in_issues(client: ApiClient) -> None:
    answer = client.post("/v1/domains", {"name": 5})
    assert answer.status == 400
    told = [(one["code"], one["path"], one["message"]) for one in answer.body["error"]["issues"]]
    assert told == [
        ("invalid_type", ["name"], "Expected string, received number"),
        ("invalid_type", ["region"], "Required"),
    ]


def test_a_domain_is_verified_once_its_records_are_there(client: ApiClient, zone: Zone) -> None:
    made = add(client)
    domain = Domain.objects.get()
    started = client.put(f"/v1/domains/{made['id']}/verify", None)
    assert (started.status, started.body) == (200, {"message": "Domain verification started"})
    look_up(domain, zone, clock.now())
    waiting = client.get(f"/v1/domains/{made['id']}").body
    assert (waiting["status"], waiting["isVerifying"], waiting["dkimStatus"]) == ("PENDING", True, "PENDING")
    assert waiting["lastCheckedTime"] is not None
    publish(zone, domain)
    look_up(domain, zone, clock.now())
    done = client.get(f"/v1/domains/{made['id']}").body
    assert (done["status"], done["isVerifying"]) == ("SUCCESS", False)
    assert (done["dkimStatus"], done["spfDetails"], done["dmarcAdded"]) == ("SUCCESS", "SUCCESS", True)
    assert all(one["status"] == "SUCCESS" for one in done["dnsRecords"] if not one["recommended"])


def test_looking_at_a_domain_has_it_looked_up_but_not_every_second(client: ApiClient, zone: Zone) -> None:
    made = add(client)
    domain = Domain.objects.get()
    client.put(f"/v1/domains/{made['id']}/verify", "not JSON")
    look_up(domain, zone, clock.now())
    ProcrastinateJob.objects.all().delete()
    client.get(f"/v1/domains/{made['id']}")
    assert ProcrastinateJob.objects.count() == 0
    Domain.objects.update(checked_at=clock.now() - timedelta(seconds=6))
    for _ in range(3):
        client.get(f"/v1/domains/{made['id']}")
    assert ProcrastinateJob.objects.filter(task_name="mail.check_domain").count() == 1


def test_what_stands_wrong_is_said(client: ApiClient, zone: Zone) -> None:
    made = add(client, "acme.example")
    domain = Domain.objects.get()
    publish(zone, domain)
    DomainRecord.objects.all().delete()
    look_up(domain, zone, clock.now())
    DomainRecord.objects.filter(purpose="dkim").update(status=RecordStatus.WRONG, note="Another key stands there.")
    shown = client.get(f"/v1/domains/{made['id']}").body
    assert shown["verificationError"] == "postroom._domainkey.acme.example: Another key stands there."
    assert shown["dkimStatus"] == "FAILED"


def test_states_over_time(client: ApiClient) -> None:
    made = add(client)

    def status(**changes: Any) -> tuple[str, bool]:
        Domain.objects.update(**changes)
        shown = client.get(f"/v1/domains/{made['id']}").body
        return shown["status"], shown["isVerifying"]

    now = clock.now()
    long_ago = now - timedelta(days=4)
    assert status(created_at=long_ago) == ("FAILED", False)
    assert status(verify_wanted_at=now) == ("PENDING", True)
    assert status(verify_wanted_at=long_ago) == ("FAILED", False)
    assert status(verified_at=now, verify_wanted_at=None) == ("SUCCESS", False)
    assert status(verified_at=None, lost_at=now) == ("TEMPORARY_FAILURE", False)
    assert status(lost_at=long_ago) == ("FAILED", False)


def test_domains_are_listed_newest_first_at_the_same_cost(client: ApiClient, workspace: Workspace) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/v1/domains").status == 200
        return len(queries)

    first = add(client, "one.example")
    cost()
    few = cost()
    ids = [add(client, f"d{number}.example")["id"] for number in range(4)]
    make_sender_at(workspace, "d1.example")
    assert cost() <= few
    assert [one["id"] for one in client.get("/v1/domains").body] == [*reversed(ids), first["id"]]


def test_a_key_of_one_domain_sees_that_one_only(client: ApiClient, workspace: Workspace) -> None:
    mine, other = add(client, "mine.example"), add(client, "other.example")
    bound = make_client(workspace=workspace, door=Door.USESEND, role=Role.ADMIN, mail_domain="mine.example")
    assert [one["id"] for one in bound.get("/v1/domains").body] == [mine["id"]]
    assert bound.get(f"/v1/domains/{other['id']}").body == error("NOT_FOUND", "Domain not found")
    verify = bound.put(f"/v1/domains/{other['id']}/verify", {})
    assert (verify.status, verify.body) == (404, {"error": "API key doesn't have access to this domain"})
    gone = bound.ask("DELETE", f"/v1/domains/{other['id']}")
    assert (gone.status, gone.body) == (403, error("FORBIDDEN", "API key doesn't have access to this domain"))
    assert bound.get(f"/v1/domains/{mine['id']}").status == 200


def test_unknown_and_foreign_domains_are_the_same(client: ApiClient) -> None:
    elsewhere = mail.create_domain(workspace=make_workspace(slug="x"), name="x.example", actor=SYSTEM, now=NOW)
    for number in (elsewhere.pk, 0, -1, 99999999999999999999999):
        path = f"/v1/domains/{number}"
        for method in ("GET", "DELETE"):
            answer = client.ask(method, path)
            assert (answer.status, answer.body) == (404, error("NOT_FOUND", "Domain not found"))
        answer = client.put(f"{path}/verify", {})
        assert (answer.status, answer.body) == (404, {"error": "Domain not found"})
    assert Domain.objects.filter(pk=elsewhere.pk).exists()


@pytest.mark.parametrize("word", ["abc", "1.5", "1e400"])
def test_an_id_that_is_no_whole_number_is_told_in_issues(client: ApiClient, word: str) -> None:
    for method, path in (("GET", word), ("DELETE", word), ("PUT", f"{word}/verify")):
        answer = client.ask(method, f"/v1/domains/{path}")
        assert answer.status == 400
        assert [(one["code"], one["path"]) for one in answer.body["error"]["issues"]] == [("invalid_type", ["id"])]


def make_sender_at(workspace: Workspace, name: str) -> SenderAccount:
    domain = Domain.objects.get(workspace=workspace, name=name)
    new = NewSender(
        name=f"Desk of {name}",
        provider=Provider.SMTP,
        from_email=f"desk@{name}",
        domain_id=domain.pk,
        config={"host": "mx.example", "port": 25},
    )
    return mail.create_sender(workspace=workspace, new=new, actor=SYSTEM, now=NOW)


def test_a_domain_is_deleted_with_what_was_carried_for_it(client: ApiClient, workspace: Workspace) -> None:
    made, second = add(client, "acme.example"), add(client, "shop.example")
    relay = make_sender_at(workspace, "acme.example")
    SenderAccount.objects.filter(pk=relay.pk).update(domain=None)
    mail.choose_relay(workspace=workspace, uid=relay.uid, is_on=True, actor=SYSTEM, now=NOW)
    carried = [
        mail.ensure_carried_sender(workspace=workspace, domain=domain, now=NOW)
        for domain in Domain.objects.order_by("pk")
    ]
    make_message(workspace=workspace, sender=carried[1])
    for one in (made, second):
        answer = client.ask("DELETE", f"/v1/domains/{one['id']}")
        told = {"id": one["id"], "success": True, "message": "Domain deleted successfully"}
        assert (answer.status, answer.body) == (200, told)
    assert not SenderAccount.objects.filter(pk=carried[0].pk).exists()
    kept = SenderAccount.objects.get(pk=carried[1].pk)
    assert (kept.is_active, kept.domain) == (False, None)
    assert Message.objects.count() == 1
    assert client.get("/v1/domains").body == []
    add(client, "shop.example")
    again = mail.ensure_carried_sender(workspace=workspace, domain=Domain.objects.get(), now=NOW)
    assert (again.pk, again.is_active) == (kept.pk, True)


def test_a_domain_that_somebody_signs_for_stays(client: ApiClient, workspace: Workspace) -> None:
    made = add(client, "acme.example")
    make_sender_at(workspace, "acme.example")
    answer = client.ask("DELETE", f"/v1/domains/{made['id']}")
    told = "These senders sign for acme.example: Desk of acme.example."
    assert (answer.status, answer.body) == (400, error("BAD_REQUEST", told))
    assert Domain.objects.count() == 1


def test_who_may_not_change_domains_may_look_at_them(client: ApiClient, workspace: Workspace) -> None:
    made = add(client)
    member = make_client(workspace=workspace, door=Door.USESEND)
    assert member.get("/v1/domains").status == 200
    assert member.post("/v1/domains", {"name": "x.example", "region": "us-east-1"}).status == 403
    assert member.put(f"/v1/domains/{made['id']}/verify", {}).status == 403
    assert member.ask("DELETE", f"/v1/domains/{made['id']}").status == 403


def test_a_key_that_only_sends_sees_no_domains(workspace: Workspace) -> None:
    client = make_client(workspace=workspace, door=Door.USESEND, role=Role.ADMIN, scopes=("send",))
    answer = client.get("/v1/domains")
    assert (answer.status, answer.body["error"]["code"]) == (403, "FORBIDDEN")


def test_mail_of_a_verified_domain_leaves_over_the_account_that_carries_all(
    client: ApiClient, workspace: Workspace
) -> None:
    add(client, "acme.example")
    letter = {"to": "ann@example.com", "from": "Shop <x@acme.example>", "subject": "Hi", "text": "Hello"}
    relay = mail.create_sender(
        workspace=workspace,
        new=NewSender(
            name="Relay", provider=Provider.SMTP, from_email="ops@h.example", config={"host": "mx", "port": 25}
        ),
        actor=SYSTEM,
        now=NOW,
    )
    refused = client.post("/v1/emails", letter)
    assert (refused.status, refused.body) == (400, error("BAD_REQUEST", "Domain: acme.example is not verified"))
    Domain.objects.update(verified_at=NOW)
    nobody = client.post("/v1/emails", letter)
    assert nobody.status == 400
    assert "carries the mail of acme.example" in nobody.body["error"]["message"]
    mail.choose_relay(workspace=workspace, uid=relay.uid, is_on=True, actor=SYSTEM, now=NOW)
    assert client.post("/v1/emails", letter).status == 200
    message = Message.objects.get()
    assert (message.sender.carrier_id, message.sender.domain, message.sender.name) == (
        relay.pk,
        Domain.objects.get(),
        "acme.example",
    )
    assert client.get(f"/v1/emails?domainId={Domain.objects.get().pk}").body["count"] == 1
