"""S10 at the API doors: on every route and by every method an id of the other tenant, in the path, the query, a header
or the body, is answered exactly like one that does not exist. A route that has no case here fails.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from postroom.core.contacts import services as contacts
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail import services as mail
from postroom.core.mail.models import Message
from postroom.core.mail.types import Composition, NewTemplate, Submission
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.types import Door, NewKey
from tests.api.clients import ApiClient, Reply, make_client
from tests.factories import NOW, make_actor
from tests.security.tenants import Tenant, digest_tenant, make_tenant
from tests.stand_ins.domains import make_keys_once

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
NOBODY: Final = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
DOORS: Final = {"^crm/+": Door.CRM, "^usesend/+": Door.USESEND}
LETTER: Final[dict[str, Any]] = {
    "to": "ann@example.net",
    "from": "shop@acme.example",
    "subject": "Hi",
    "text": "Hi",
}


@dataclass(frozen=True)
class Case:
    """What a route's path names, in order, and bodies and queries that are good where ``{thing}`` becomes an id of
    one's own. ``opens`` is how its own tenant comes in, and what that is answered.
    """

    in_path: tuple[str, ...] = ()
    bodies: tuple[Any, ...] = ({},)
    queries: tuple[str, ...] = ("",)
    names_in_body: bool = False
    opens: tuple[str, int] = ("GET", 200)
    shows: bool = True


CONVERTER: Final = re.compile(r"<\w+:")
OPEN: Final[set[tuple[str, str]]] = {
    *((door, f"/docs{rest}") for door in ("crm", "usesend") for rest in ("", "/", "/style.css", "/openapi.json")),
    *(("usesend", f"/api/{path}") for path in ("v1/doc", "v1/ui", "health")),
}
"""Routes that need no key and tell nothing of anybody."""
BOOKS: Final = "/api/v1/contactBooks"
CAMPAIGN: Final[dict[str, Any]] = {
    "name": "March",
    "from": "shop@acme.example",
    "subject": "Hi",
    "html": '<a href="{{usesend_unsubscribe_url}}">Leave</a>',
}
CASES: Final = {
    ("crm", "/api/contacts"): Case(bodies=({"firstName": "Ann"},)),
    ("crm", "/api/contacts/<id>"): Case(("contact",), ({"firstName": "Stolen", "globallyUnsubscribed": True},)),
    ("usesend", "/api/v1/emails"): Case(
        bodies=({**LETTER, "templateId": "{template}"}, {**LETTER, "inReplyToId": "{message}"}),
        queries=("?domainId={domain}",),
        names_in_body=True,
    ),
    ("usesend", "/api/v1/emails/batch"): Case(
        bodies=([{**LETTER, "templateId": "{template}"}], [{**LETTER, "inReplyToId": "{message}"}]), names_in_body=True
    ),
    ("usesend", "/api/v1/emails/<emailId>"): Case(("message",), ({"scheduledAt": "2040-01-01T00:00:00Z"},)),
    ("usesend", "/api/v1/emails/<emailId>/cancel"): Case(("message",), opens=("POST", 400), shows=False),
    ("usesend", "/api/v1/domains"): Case(bodies=({"name": "new.example", "region": "eu-west-1"},)),
    ("usesend", "/api/v1/domains/<id>"): Case(("domain",)),
    ("usesend", "/api/v1/domains/<id>/verify"): Case(("domain",), opens=("PUT", 200), shows=False),
    ("usesend", BOOKS): Case(bodies=({"name": "News"},)),
    ("usesend", f"{BOOKS}/<contactBookId>"): Case(("list",), ({"name": "Stolen"},)),
    ("usesend", f"{BOOKS}/<contactBookId>/contacts"): Case(
        ("list",), ({"email": "new@example.com"},), queries=("", "?ids={contact}")
    ),
    ("usesend", f"{BOOKS}/<contactBookId>/contacts/bulk"): Case(
        ("list",),
        ([{"email": "new@example.com"}], {"contactIds": ["{contact}"]}),
        opens=("POST", 200),
        shows=False,
    ),
    ("usesend", f"{BOOKS}/<contactBookId>/contacts/<contactId>"): Case(
        ("list", "contact"),
        ({"email": "new@example.com", "firstName": "Stolen", "subscribed": False},),
    ),
    ("usesend", "/api/v1/campaigns"): Case(bodies=({**CAMPAIGN, "contactBookId": "{list}"},), names_in_body=True),
    ("usesend", "/api/v1/campaigns/<campaignId>"): Case(("campaign",)),
    ("usesend", "/api/v1/campaigns/<campaignId>/schedule"): Case(("campaign",), opens=("POST", 400), shows=False),
    ("usesend", "/api/v1/campaigns/<campaignId>/pause"): Case(("campaign",), opens=("POST", 200), shows=False),
    ("usesend", "/api/v1/campaigns/<campaignId>/resume"): Case(("campaign",), opens=("POST", 400), shows=False),
    ("usesend", "/api/v1/analytics/email-time-series"): Case(queries=("?domainId={domain}",)),
    ("usesend", "/api/v1/analytics/reputation-metrics"): Case(queries=("?domainId={domain}",)),
}
EMAILS_ONLY: Final = "/api/v1/emails"
"""Below this a key that only sends may go."""


def routes() -> set[tuple[str, str]]:
    """Return (door, path) of every route of an API, without what answers for addresses that are none."""
    found = set()
    for door in get_resolver().url_patterns:
        if isinstance(door, URLResolver) and str(door.pattern) in DOORS:
            patterns = [one for one in door.url_patterns if isinstance(one, URLPattern) and one.name != "unknown"]
            name = DOORS[str(door.pattern)].value
            found |= {(name, "/" + CONVERTER.sub("<", str(one.pattern))) for one in patterns}
    return found - OPEN


pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Party:
    """A tenant, a client for each door, and its ids as that door writes them."""

    tenant: Tenant
    clients: dict[str, ApiClient]
    ids: dict[str, dict[str, str]]

    def ask(self, door: str, method: str, path: str, body: Any, **headers: str) -> Reply:
        """Return the answer at ``path``, which begins with ``/api``."""
        client = self.clients[door]
        return ApiClient(f"/{door}", client.secret).ask(method, path, None if method == "GET" else body, **headers)


def make_party(secret: str) -> Party:
    tenant = make_tenant(secret)
    actor = make_actor(tenant.owner)
    composition = Composition(subject=secret, body=f"<p>{secret}</p>")
    template = mail.create_template(
        workspace=tenant.workspace, new=NewTemplate(name=secret, composition=composition), actor=actor, now=NOW
    )
    letter = Submission(
        from_address=f"{secret}@acme.example", to=(f"{secret}@example.com",), subject=secret, text=secret
    )
    (message,) = mail.submit_messages(workspace=tenant.workspace, submissions=[letter], actor=actor, now=NOW)
    contacts.set_list_member(
        workspace=tenant.workspace,
        list_id=tenant.keys["list"],
        contact_id=tenant.keys["contact"],
        status=MemberStatus.SUBSCRIBED,
        source="test",
        actor=actor,
        now=NOW,
    )
    contacts.set_list_member(
        workspace=tenant.workspace,
        list_id=tenant.keys["list"],
        contact_id=tenant.keys["contact"],
        status=MemberStatus.SUBSCRIBED,
        source="test",
        actor=actor,
        now=NOW,
    )
    uids = {**tenant.uids, "template": template.uid, "message": message}
    doors = ("crm", "usesend")
    return Party(
        tenant,
        {door: make_client(workspace=tenant.workspace, door=Door(door), user=tenant.owner) for door in doors},
        {
            "crm": {name: str(uid) for name, uid in uids.items()},
            "usesend": {**{name: uid.hex for name, uid in uids.items()}, "domain": str(tenant.keys["domain"])},
        },
    )


@pytest.fixture
def victim(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Party:
    make_keys_once(monkeypatch)
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_party("larkspur")


@pytest.fixture
def attacker(victim: Party) -> Party:
    return make_party("hemlock")


def nobody(party: Party, door: str) -> dict[str, str]:
    """Ids of no thing at all, as a door writes them."""
    return {
        name: "999999999" if one.isdigit() else str(NOBODY) if door == "crm" else NOBODY.hex
        for name, one in party.ids[door].items()
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Return a body with ``{thing}`` replaced by the id of it."""
    if isinstance(value, str):
        return ids[value[1:-1]] if value.startswith("{") and value[1:-1] in ids else value
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    return value


def path_with(route: str, case: Case, ids: dict[str, str]) -> str:
    for thing in case.in_path:
        head, _, rest = route.partition("<")
        route = head + ids[thing] + rest.partition(">")[2]
    return route


def test_every_route_has_a_case() -> None:
    assert routes() - set(CASES) == set(), "say in CASES what the new route names"
    assert set(CASES) - routes() == set(), "these cases have no route any more"
    for (_, route), case in CASES.items():
        assert route.count("<") == len(case.in_path), f"{route}: say which things its path names"


def test_a_foreign_id_is_answered_like_an_unknown_one(victim: Party, attacker: Party) -> None:
    before = digest_tenant(victim.tenant)
    for (door, route), case in CASES.items():
        for method in METHODS:
            for body in case.bodies:
                for query in case.queries if method == "GET" else ("",):
                    try_foreign_ids(victim, attacker, door, method, route, body, query)
        assert digest_tenant(victim.tenant) == before, route


def try_foreign_ids(victim: Party, attacker: Party, door: str, method: str, route: str, body: Any, query: str) -> None:
    """Ask with everything foreign, and with each named thing foreign beside one's own."""
    case = CASES[door, route]
    own, theirs, none = attacker.ids[door], victim.ids[door], nobody(victim, door)
    named = [*case.in_path, *re.findall(r"{(\w+)}", f"{body}{query}")]
    mixtures = [(theirs, none), *(({**own, one: theirs[one]}, {**own, one: none[one]}) for one in named[1:])]
    for foreign, unknown in mixtures:
        said = f"{method} {route}{query} {body}"
        reply = ask_with(attacker, door, method, route, foreign, body, query)
        assert victim.tenant.secret not in str(reply.body), said
        if named:
            assert reply == ask_with(attacker, door, method, route, unknown, body, query), said
        at_home = all(foreign[one] == own[one] for one in case.in_path[:1])
        if (case.names_in_body and method != "GET") or (case.in_path and not at_home):
            assert reply.status in (400, 404), said


def ask_with(
    party: Party, door: str, method: str, route: str, ids: dict[str, str], body: Any, query: str = ""
) -> Reply:
    address = path_with(route, CASES[door, route], ids) + query.format(**ids)
    return party.ask(door, method, address, filled(body, ids))


def test_the_same_ids_open_for_their_own_tenant(victim: Party) -> None:
    for (door, route), case in CASES.items():
        ids = victim.ids[door]
        method, status = case.opens
        if case.in_path:
            reply = ask_with(victim, door, method, route, ids, case.bodies[0], case.queries[-1])
            assert reply.status == status, f"{method} {route} {reply}"
            assert not case.shows or victim.tenant.secret in str(reply.body), route
        for body in case.bodies if case.names_in_body else ():
            assert victim.ask(door, "POST", route, filled(body, ids)).status == 200, route


def test_a_foreign_workspace_is_answered_like_an_unknown_one(victim: Party, attacker: Party) -> None:
    before = digest_tenant(victim.tenant)
    for (door, route), case in CASES.items():
        for method in METHODS:
            path = path_with(route, case, victim.ids[door])
            asked = [
                attacker.ask(door, method, f"{path}?workspaceId={uid}", {"firstName": "Mine"}, X_Workspace_Id=str(uid))
                for uid in (victim.tenant.workspace.uid, NOBODY)
            ]
            assert asked[0] == asked[1], f"{method} {route}"
            assert victim.tenant.secret not in str(asked[0].body)
    assert digest_tenant(victim.tenant) == before


def test_a_key_of_another_door_or_none_opens_nothing(victim: Party) -> None:
    before, messages = digest_tenant(victim.tenant), Message.objects.count()
    for (door, route), case in CASES.items():
        path = path_with(route, case, victim.ids[door])
        other = next(client.secret for name, client in victim.clients.items() if name != door)
        for secret in ("", other, "nonsense"):
            for method in METHODS:
                reply = ApiClient(f"/{door}", secret).ask(method, path, {})
                assert reply.status in (401, 403, 404), f"{method} {route}"
                assert victim.tenant.secret not in str(reply.body)
    assert digest_tenant(victim.tenant) == before
    assert Message.objects.count() == messages


def test_a_key_that_only_sends_opens_only_emails(victim: Party) -> None:
    only_sends = make_key(victim, scopes=("send",))
    assert only_sends.get("/api/v1/emails").status == 200  # which notes that the key was used
    before = digest_tenant(victim.tenant)
    for (door, route), case in CASES.items():
        if door != "usesend" or route.startswith(EMAILS_ONLY):
            continue
        for method in METHODS:
            reply = only_sends.ask(method, path_with(route, case, victim.ids[door]), {})
            assert reply.status in (403, 404), f"{method} {route}"
            assert reply.status == 403 or reply.body == "404 Not Found", f"{method} {route}"
            assert victim.tenant.secret not in str(reply.body)
    assert digest_tenant(victim.tenant) == before
    for body in (LETTER, [LETTER]):
        path = "/api/v1/emails" + "/batch" * isinstance(body, list)
        assert only_sends.post(path, body).status == 200
    assert only_sends.get(f"/api/v1/emails/{victim.ids['usesend']['message']}").status == 200


def test_a_key_of_one_domain_sees_nothing_of_the_others(victim: Party) -> None:
    domain, message = victim.ids["usesend"]["domain"], victim.ids["usesend"]["message"]
    own = mail.create_domain(
        workspace=victim.tenant.workspace, name="own.example", actor=make_actor(victim.tenant.owner), now=NOW
    )
    bound = make_key(victim, mail_domain="own.example")
    sent = bound.post("/api/v1/emails", {**LETTER, "from": "a@own.example"})
    assert sent.status == 200
    letters = {"usual": LETTER, "batch": [{**LETTER, "from": "a@own.example"}, LETTER]}
    before = digest_tenant(victim.tenant)
    assert [one["id"] for one in bound.get("/api/v1/domains").body] == [own.pk]
    assert bound.get(f"/api/v1/domains/{own.pk}").status == 200
    assert bound.get(f"/api/v1/domains/{domain}").status in (403, 404)
    assert bound.ask("DELETE", f"/api/v1/domains/{domain}").status in (403, 404)
    assert bound.put(f"/api/v1/domains/{domain}/verify", {}).status == 404
    assert [one["id"] for one in bound.get("/api/v1/emails").body["data"]] == [sent.body["emailId"]]
    assert bound.get(f"/api/v1/emails?domainId={domain}").body["count"] in (0, 1)
    assert bound.get(f"/api/v1/emails/{message}").status == 404
    assert bound.ask("PATCH", f"/api/v1/emails/{message}", {"scheduledAt": "2040-01-01T00:00:00Z"}).status == 404
    assert bound.post(f"/api/v1/emails/{message}/cancel", {}).status == 404
    for path, body in (("/api/v1/emails", letters["usual"]), ("/api/v1/emails/batch", letters["batch"])):
        reply = bound.post(path, body)
        assert (reply.status, reply.body["error"]["code"]) == (403, "FORBIDDEN")
    campaign = {**CAMPAIGN, "contactBookId": victim.ids["usesend"]["list"]}
    assert bound.post("/api/v1/campaigns", campaign).status == 403
    assert digest_tenant(victim.tenant) == before
    assert bound.post("/api/v1/campaigns", {**campaign, "from": "a@own.example"}).status == 200


def make_key(party: Party, **options: Any) -> ApiClient:
    """Return a client of useSend's door at its root, with a key of these options."""
    new = NewKey(door=Door.USESEND, name="Narrow", **options)
    _, secret = workspaces.create_api_key(
        workspace=party.tenant.workspace,
        user=party.tenant.owner,
        new=new,
        actor=make_actor(party.tenant.owner),
        now=NOW,
    )
    return ApiClient("/usesend", secret)
