"""Each dialect below its prefix, and at the root of a host name of its own; slashes that follow each other are one."""

from collections.abc import Iterator

import httpx2
import pytest
from pytest_django import Settings

from postroom.config import checks
from postroom.config.doors import find_place
from postroom.core.workspaces.selectors import door_address
from postroom.core.workspaces.types import Door
from tests.api.clients import make_client
from tests.edge.front_door import FrontDoor, front_door
from tests.factories import make_workspace

OWN = {"usesend": "send.example", "crm": "people.example"}


@pytest.mark.parametrize(
    ("path", "host", "place"),
    [
        ("/usesend/api/v1/emails", "localhost", "/usesend/api/v1/emails"),
        ("/usesend//api/v1/emails", "localhost", "/usesend/api/v1/emails"),
        ("//usesend///api//v1/emails//x", "localhost", "/usesend/api/v1/emails/x"),
        ("/crm//api/contacts", "localhost", "/crm/api/contacts"),
        ("/w//acme", "localhost", "/w//acme"),
        ("/usesendx//y", "localhost", "/usesendx//y"),
        ("/api/v1/emails", "send.example", "/usesend/api/v1/emails"),
        ("//api/v1/emails", "Send.Example.:8443", "/usesend/api/v1/emails"),
        ("/", "send.example", "/usesend/"),
        ("/w/acme/", "send.example", "/usesend/w/acme/"),
        ("/crm/api/contacts", "send.example", "/usesend/crm/api/contacts"),
        ("/api/contacts", "people.example", "/crm/api/contacts"),
        ("/api/v1/emails", "send.example.evil", "/api/v1/emails"),
        ("/api/v1/emails", "", "/api/v1/emails"),
    ],
)
def test_every_address_means_one_place(path: str, host: str, place: str) -> None:
    assert find_place(path, host, OWN) == place


def test_clients_are_given_the_doors_own_name_or_its_prefix(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.DOOR_HOSTS = "https://mail.example", {"usesend": "send.example"}
    assert door_address(door=Door.USESEND) == "https://send.example"
    assert door_address(door=Door.CRM) == "https://mail.example/crm"


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        ({}, []),
        (OWN, []),
        ({"usesend": "https://send.example"}, ["must be a host name alone, not 'https://send.example'"]),
        ({"usesend": "send.example:8443"}, ["must be a host name alone"]),
        ({"usesend": "mail.example"}, ["is the host name of the pages already"]),
        ({"crm": "a.example", "usesend": "a.example"}, ["is the host name of POSTROOM_CRM_HOST already"]),
    ],
)
def test_a_name_that_cannot_be_a_doors_own_is_refused(
    settings: Settings, hosts: dict[str, str], told: list[str]
) -> None:
    settings.PUBLIC_URL, settings.DOOR_HOSTS = "https://mail.example", hosts
    found = checks.check_door_hosts(None)
    assert len(found) == len(told)
    for message, words in zip(found, told, strict=True):
        assert message.id == "postroom.E013"
        assert words in message.msg


@pytest.fixture
def door(transactional_db: None) -> Iterator[FrontDoor]:
    with front_door(POSTROOM_USESEND_HOST="Send.Example") as door:
        yield door


def test_the_door_is_at_the_root_of_its_own_name_and_no_page_is(door: FrontDoor) -> None:
    client = make_client(workspace=make_workspace(), door=Door.USESEND)
    own = {"Host": "send.example", "Authorization": f"Bearer {client.secret}"}
    letter = {"to": "ann@example.com", "from": "shop@acme.example", "subject": "Hi", "text": "Hi"}
    with httpx2.Client(base_url=door.url) as program:
        sent = [
            program.post(f"{door.url}{path}", json=letter, headers=headers)
            for path, headers in (
                ("/api/v1/emails", own),
                ("//api//v1/emails", own),
                ("/usesend/api/v1/emails", {**own, "Host": "localhost"}),
                ("//usesend//api//v1//emails", {**own, "Host": "localhost"}),
            )
        ]
        assert [reply.status_code for reply in sent] == [200] * 4
        for reply in sent:
            found = program.get(f"{door.url}//api/v1//emails/{reply.json()['emailId']}", headers=own)
            assert found.json()["subject"] == "Hi"
        for path in (
            "/accounts/login/",
            "/health",
            "/metrics",
            "/usesend/api/v1/emails",
            "/o/x.gif",
            "/static/web/app.js",
        ):
            page = program.get(path, headers=own)
            assert (page.status_code, page.text) == (404, "404 Not Found"), path
        assert program.get("/api/v1/emails/x", headers={"Host": "send.example"}).status_code == 401
        assert program.get("/accounts/login/", headers={"Host": "localhost"}).status_code == 200
        assert program.get("/api/v1/emails", headers={"Host": "other.example"}).status_code == 400
