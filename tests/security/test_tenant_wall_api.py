"""S10 at the API doors: on every route and by every method an id of the other tenant, in the path, the query, a header
or the body, is answered exactly like one that does not exist. A route that has no case here fails.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from postroom.core.mail import services as mail
from postroom.core.mail.models import Message
from postroom.core.mail.types import Composition, NewTemplate, Submission
from postroom.core.workspaces.types import Door
from tests.api.clients import ApiClient, Reply, make_client
from tests.factories import NOW, make_actor
from tests.security.tenants import Tenant, digest_tenant, make_tenant

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
    """What a route's path names, and bodies that are good where ``{thing}`` becomes an id of one's own."""

    in_path: str = ""
    bodies: tuple[Any, ...] = ({},)
    names_in_body: bool = False


CASES: Final = {
    ("crm", "/api/contacts"): Case(bodies=({"firstName": "Ann"},)),
    ("crm", "/api/contacts/<id>"): Case(
        in_path="contact", bodies=({"firstName": "Stolen", "globallyUnsubscribed": True},)
    ),
    ("usesend", "/api/v1/emails"): Case(
        bodies=({**LETTER, "templateId": "{template}"}, {**LETTER, "inReplyToId": "{message}"}), names_in_body=True
    ),
    ("usesend", "/api/v1/emails/batch"): Case(
        bodies=([{**LETTER, "templateId": "{template}"}], [{**LETTER, "inReplyToId": "{message}"}]), names_in_body=True
    ),
    ("usesend", "/api/v1/emails/<emailId>"): Case(in_path="message"),
}


def routes() -> set[tuple[str, str]]:
    """Return (door, path) of every route of an API, without what answers for addresses that are none."""
    found = set()
    for door in get_resolver().url_patterns:
        if isinstance(door, URLResolver) and str(door.pattern) in DOORS:
            patterns = [one for one in door.url_patterns if isinstance(one, URLPattern) and one.name != "unknown"]
            found |= {(DOORS[str(door.pattern)].value, "/" + str(one.pattern)) for one in patterns}
    return found


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
    uids = {**tenant.uids, "template": template.uid, "message": message}
    doors = ("crm", "usesend")
    return Party(
        tenant,
        {door: make_client(workspace=tenant.workspace, door=Door(door), user=tenant.owner) for door in doors},
        {
            "crm": {name: str(uid) for name, uid in uids.items()},
            "usesend": {name: uid.hex for name, uid in uids.items()},
        },
    )


@pytest.fixture
def victim(settings: Settings, tmp_path: Path) -> Party:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_party("larkspur")


@pytest.fixture
def attacker(victim: Party) -> Party:
    return make_party("hemlock")


def nobody(door: str) -> dict[str, str]:
    """Ids of no thing at all, as a door writes them."""
    return dict.fromkeys((*make_names(), "template", "message"), str(NOBODY) if door == "crm" else NOBODY.hex)


def make_names() -> tuple[str, ...]:
    return ("contact", "list", "category", "segment", "import", "sender", "domain", "campaign", "sandbox_mail")


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Return a body with ``{thing}`` replaced by the id of it."""
    if isinstance(value, str):
        return ids[value[1:-1]] if value.startswith("{") else value
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    return value


def path_with(route: str, case: Case, ids: dict[str, str]) -> str:
    head, found, rest = route.partition("<")
    return head + ids[case.in_path] + rest.partition(">")[2] if found else route


def test_every_route_has_a_case() -> None:
    assert routes() - set(CASES) == set(), "say in CASES what the new route names"
    assert set(CASES) - routes() == set(), "these cases have no route any more"
    for (_, route), case in CASES.items():
        assert route.count("<") == bool(case.in_path), f"{route}: say which thing its path names"


def test_a_foreign_id_is_answered_like_an_unknown_one(victim: Party, attacker: Party) -> None:
    before = digest_tenant(victim.tenant)
    for (door, route), case in CASES.items():
        for method in METHODS:
            for body in case.bodies:
                foreign = ask_with(
                    attacker, door, method, path_with(route, case, victim.ids[door]), body, victim.ids[door]
                )
                unknown = ask_with(attacker, door, method, path_with(route, case, nobody(door)), body, nobody(door))
                if case.in_path or case.names_in_body:
                    assert foreign == unknown, f"{method} {route}"
                    assert foreign.status in (400, 404), f"{method} {route}"
                assert victim.tenant.secret not in str(foreign.body), f"{method} {route}"
                assert digest_tenant(victim.tenant) == before, f"{method} {route}"


def ask_with(party: Party, door: str, method: str, path: str, body: Any, ids: dict[str, str]) -> Reply:
    return party.ask(door, method, path, filled(body, ids))


def test_the_same_ids_open_for_their_own_tenant(victim: Party) -> None:
    for (door, route), case in CASES.items():
        if case.in_path:
            reply = victim.ask(door, "GET", path_with(route, case, victim.ids[door]), None)
            assert reply.status == 200, route
            assert victim.tenant.secret in str(reply.body)
        for body in case.bodies if case.names_in_body else ():
            assert victim.ask(door, "POST", route, filled(body, victim.ids[door])).status == 200, route


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
