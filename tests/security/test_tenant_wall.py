"""S10: no tenant reaches another. Generated from the routes: every route, every method, every id of the other tenant; a
foreign id is answered exactly like one that does not exist. A route that has no case here fails.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from postroom.config import asgi
from postroom.core.campaigns.models import Campaign, CampaignList
from postroom.core.contacts.models import AccountContact, Consent, ContactTag, Interaction, ListMember
from tests.security.tenants import Tenant, digest_tenant, make_tenant

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOBODY: Final = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

# Routes that stand outside every tenant, and why. Whoever adds one says why here.
OUTSIDE: Final = {
    "unsubscribe": "the signed token of one message is the proof",
    "preferences": "the signed token of one person is the proof",
    "preferences_way": "a page of words",
    "preferences_ask": "answers everybody the same, whoever they ask for",
    "confirm": "the signed token of one question to one person is the proof",
    "click": "the signed token of one message is the proof",
    "pixel": "the signed token of one message is the proof",
    "privacy_ask": "sends a link to whoever owns the address typed in, and tells nobody anything",
    "privacy_link": "the signed token of one request is the proof",
    "home": "leads to one's own workspace",
    "account_login": "before anybody is somebody",
    "account_logout": "ends one's own session",
    "account_inactive": "a page of words",
}
RAW: Final = {
    "/o/": "the signed token of one message is the proof",
    "/c/": "the signed token of one message is the proof",
    "/health": "monitoring, no tenant's data",
    "/health/ready": "monitoring, no tenant's data",
    "/metrics": "monitoring, sums over the installation",
}

# Which thing the ``uid`` of a route names.
UIDS: Final = {
    "webhook": "webhook",
    "webhook_edit": "webhook",
    "webhook_test": "webhook",
    "webhook_pause": "webhook",
    "webhook_resume": "webhook",
    "webhook_secret": "webhook",
    "webhook_replay": "webhook",
    "webhook_delete": "webhook",
    "webhook_call": "webhook_call",
    "webhook_call_replay": "webhook_call",
    "contact": "contact",
    "contact_edit": "contact",
    "contact_tag": "contact",
    "contact_list": "contact",
    "contact_consent": "contact",
    "contact_company": "contact",
    "contact_delete": "contact",
    "contact_note": "contact",
    "contact_merge": "contact",
    "note_edit": "interaction",
    "note_delete": "interaction",
    "company": "account",
    "company_edit": "account",
    "company_delete": "account",
    "field": "field",
    "field_type": "field",
    "field_move": "field",
    "field_delete": "field",
    "list": "list",
    "list_asking": "list",
    "list_people": "list",
    "list_counts": "list",
    "list_mail": "list",
    "list_ask": "list",
    "list_delete": "list",
    "topic": "category",
    "topic_counts": "category",
    "topic_move": "category",
    "topic_delete": "category",
    "suppression": "suppression",
    "suppression_run": "suppression_run",
    "segment": "segment",
    "segment_why": "segment",
    "segment_delete": "segment",
    "bulk_run": "bulk",
    "bulk_cancel": "bulk",
    "bulk_undo": "bulk",
    "import": "import",
    "import_errors": "import",
    "import_cancel": "import",
    "import_undo": "import",
    "export": "export",
    "privacy_export": "contact",
    "privacy_erase": "contact",
    "export_file": "export",
    "export_cancel": "export",
    "campaign": "campaign",
    "campaign_test": "campaign",
    "campaign_send": "campaign",
    "campaign_schedule": "campaign",
    "campaign_waves": "campaign",
    "campaign_repeat": "campaign",
    "campaign_resend": "campaign",
    "campaign_decide": "campaign",
    "campaign_pause": "campaign",
    "campaign_resume": "campaign",
    "campaign_cancel": "campaign",
    "campaign_delete": "campaign",
    "report": "campaign",
    "template": "template",
    "template_test": "template",
    "template_duplicate": "template",
    "template_delete": "template",
    "domain": "domain",
    "domain_check": "domain",
    "domain_keys": "domain",
    "domain_keys_drop": "domain",
    "domain_test": "domain",
    "domain_delete": "domain",
    "sender_reports": "sender",
    "sender_report_replay": "provider_event",
    "sender": "sender",
    "sender_edit": "sender",
    "sender_relay": "sender",
    "sender_switch": "sender",
    "sender_test": "sender",
    "sender_warm_up": "sender",
    "sender_warm_up_end": "sender",
    "sender_delete": "sender",
    "limit": "limit",
    "limit_remove": "limit",
    "sandbox_mail": "sandbox_mail",
    "sandbox_body": "sandbox_mail",
    "sandbox_raw": "sandbox_mail",
    "key": "key",
    "key_revoke": "key",
    "message": "message",
    "message_body": "message",
    "message_text": "message",
    "message_source": "message",
    "message_file": "message",
    "message_reschedule": "message",
    "message_retry": "message",
    "message_cancel": "message",
    "message_suppress": "message",
}


def walk(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, route)
        else:
            yield route, pattern


# The doors of the APIs have cases of their own, in test_tenant_wall_api.
API_DOORS: Final = ("^crm/+", "^usesend/+")

ROUTES: Final = [
    (route, str(pattern.name)) for route, pattern in walk(get_resolver()) if not route.startswith(API_DOORS)
]
INSIDE: Final = [(route, name) for route, name in ROUTES if name not in OUTSIDE]
NAMING: Final = [(route, name) for route, name in INSIDE if "<uuid:uid>" in route or "<str:token>" in route]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def victim() -> Tenant:
    return make_tenant("larkspur")


@pytest.fixture
def attacker() -> Tenant:
    return make_tenant("hemlock")


def address(route: str, slug: str, uid: UUID, token: str) -> str:
    path = "/" + route.replace("<slug:slug>", slug).replace("<uuid:uid>", str(uid)).replace("<str:token>", token)
    path = path.replace("<int:number>", "0")
    assert "<" not in path, f"say here how to fill {route}"
    return path


def bodies(tenant: Tenant) -> dict[str, object]:
    """Every name a form of ours reads an id from, filled with the tenant's own ids."""
    keys, uids = tenant.keys, tenant.uids
    return {
        "name": "Mine now",
        "list": uids["list"],
        "list_id": keys["list"],
        "lists": [keys["list"]],
        "list_ids": [keys["list"]],
        "category": uids["category"],
        "category_id": keys["category"],
        "segment": keys["segment"],
        "segment_id": keys["segment"],
        "sender": keys["sender"],
        "sender_id": keys["sender"],
        "sent_by": f"sender-{keys['sender']}",
        "fallback_id": keys["sender"],
        "test": uids["message"],
        "domain": keys["domain"],
        "domain_id": keys["domain"],
        "contact": uids["contact"],
        "contact_uid": uids["contact"],
        "with": uids["contact"],
        "for": uids["contact"],
        "account": uids["account"],
        "status": "subscribed",
        "state": "granted",
        "tag": "stolen",
        "to": "thief@example.com",
        "at": "2027-01-01T09:00",
        "audience": "lists",
        "subject": "Mine now",
        "body": "<p>Mine now</p>",
        "body_format": "html",
    }


def seen(answer: HttpResponseBase) -> tuple[int, str]:
    """What a client can tell two answers apart by: the status and the text, without what changes at every request."""
    body = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
    text = re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken"):? ?"[^"]+"', "", body.decode(errors="replace"))
    return answer.status_code, re.sub(r"[\w-]{64}", "", text)


def ask(client: Client, method: str, path: str, data: dict[str, object]) -> tuple[int, str]:
    send: Callable[..., HttpResponseBase] = getattr(client, method.lower())
    return seen(send(path, data) if method == "POST" else send(path))


def test_every_route_is_known_here() -> None:
    unknown = {name for route, name in INSIDE if "<uuid:uid>" in route and name not in UIDS}
    assert unknown == set(), "say in UIDS which thing the new route names"
    without_tenant = {name for route, name in INSIDE if not route.startswith("w/<slug:slug>/")}
    assert without_tenant == set(), "say in OUTSIDE why the new route belongs to no tenant"
    gone = (set(OUTSIDE) | set(UIDS)) - {name for _, name in ROUTES}
    assert gone == set(), "these cases have no route any more"


def test_every_raw_route_of_the_front_door_is_known_here() -> None:
    door = asgi.FrontDoor(asgi.application)
    assert set(door._answers) | {"/o/", "/c/"} == set(RAW)


@contextmanager
def undone() -> Iterator[None]:
    """Take back what the block wrote, so that every route meets the same two tenants."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def token_of(tenant: Tenant, route: str) -> str:
    return tenant.staged_token() if "<str:token>" in route else "unknown"


def uid_of(tenant: Tenant, name: str) -> UUID:
    return tenant.uids.get(UIDS.get(name, ""), NOBODY)


def find_differences(client: Client, foreign: str, unknown: str, data: dict[str, object], secret: str) -> Iterator[str]:
    """Yield each method by which a foreign address can be told from an unknown one."""
    for method in METHODS:
        answer = ask(client, method, foreign, data)
        if answer != ask(client, method, unknown, data) or answer[0] not in (404, 405) or secret in answer[1]:
            yield f"{method} {foreign} {answer[0]}"


def test_a_foreign_workspace_is_answered_like_an_unknown_one(victim: Tenant, attacker: Tenant) -> None:
    client, found = attacker.client(), []
    for route, name in INSIDE:
        token, before = token_of(victim, route), digest_tenant(victim)
        foreign = address(route, victim.workspace.slug, uid_of(victim, name), token)
        unknown = address(route, "no-such-room", NOBODY, "unknown")
        found += find_differences(client, foreign, unknown, bodies(victim), victim.secret)
        assert digest_tenant(victim) == before, name
    assert found == []


def test_a_foreign_id_in_ones_own_workspace_is_answered_like_an_unknown_one(victim: Tenant, attacker: Tenant) -> None:
    client, slug, found = attacker.client(), attacker.workspace.slug, []
    for route, name in NAMING:
        token, before = token_of(victim, route), digest_tenant(victim)
        foreign = address(route, slug, uid_of(victim, name), token)
        unknown = address(route, slug, NOBODY, "unknown")
        found += find_differences(client, foreign, unknown, bodies(attacker), victim.secret)
        assert digest_tenant(victim) == before, name
    assert found == []


def test_foreign_ids_in_a_form_bring_nothing_to_light_and_change_nothing(victim: Tenant, attacker: Tenant) -> None:
    before = digest_tenant(victim)
    for route, name in INSIDE:
        with undone():
            client = attacker.client()
            path = address(route, attacker.workspace.slug, uid_of(attacker, name), token_of(attacker, route))
            _, queried = seen(client.get(path, {**bodies(victim), "q": victim.secret}))
            _, body = ask(client, "POST", path, bodies(victim))
            assert victim.secret not in body, name
            for echo in (f'value="{victim.secret}"', f"found by “{victim.secret}”", f"q={victim.secret}"):
                queried = queried.replace(echo, "")  # what they typed themselves
            assert victim.secret not in queried, name
            assert digest_tenant(victim) == before, name
            assert count_mixed_rows() == 0, name


def count_mixed_rows() -> int:
    """Return how many rows tie a thing of one organization to a thing of another."""
    members = ListMember.objects.exclude(contact__organization=F("list__workspace__organization"))
    tags = ContactTag.objects.exclude(contact__organization=F("tag__workspace__organization"))
    consents = Consent.objects.exclude(contact__organization=F("category__workspace__organization"))
    places = AccountContact.objects.exclude(contact__organization=F("account__workspace__organization"))
    notes = Interaction.objects.exclude(contact__organization=F("workspace__organization"))
    campaigns = [
        Campaign.objects.exclude(**{f"{name}__workspace": F("workspace")}).filter(**{f"{name}__isnull": False})
        for name in ("sender", "segment", "category")
    ]
    lists = CampaignList.objects.exclude(list__workspace=F("campaign__workspace"))
    return sum(rows.count() for rows in (members, tags, consents, places, notes, lists, *campaigns))


def test_who_is_not_signed_in_learns_nothing(victim: Tenant) -> None:
    before = digest_tenant(victim)
    for route, name in INSIDE:
        path = address(route, victim.workspace.slug, uid_of(victim, name), "unknown")
        for method in METHODS:
            status, body = ask(Client(), method, path, bodies(victim))
            assert status in (302, 405), f"{method} {name}"
            assert victim.secret not in body
    assert digest_tenant(victim) == before
