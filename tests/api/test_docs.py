"""The documentation of the doors: whole, offline, and every example of it runs."""

import json
import re
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from html import unescape
from io import StringIO
from itertools import pairwise
from typing import Any, Final

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.api.crm.api import api as crm
from postroom.api.shared.docs.schemas import Reader
from postroom.api.usesend.api import api as usesend
from postroom.core.workspaces.types import Door, Role
from tests.api.clients import ApiClient, Reply, make_client
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db

APIS: Final = {"usesend": usesend, "crm": crm}
OPERATIONS: Final = [
    (door, operation["operationId"])
    for door, api in APIS.items()
    for methods in api.get_openapi_schema(path_prefix="")["paths"].values()
    for operation in methods.values()
]
FROM: Final = "desk@news.example"
WAY_OUT: Final = '<a href="{{usesend_unsubscribe_url}}">out</a>'


def show(door: str) -> str:
    answer = Client().get(f"/{door}/docs")
    assert answer.status_code == 200
    return answer.content.decode()


def example(page: str, operation: str, tongue: str) -> str:
    found = re.search(rf'<pre [^>]*data-example="{operation}-{tongue}"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None, f"no example of {operation} in {tongue}"
    return unescape(found[1])


class Story:
    """Makes what the examples name, the first time one does."""

    def __init__(self, door: str) -> None:
        self.door = door
        self.client = ApiClient(
            f"/{door}", make_client(workspace=make_workspace(), door=Door(door), role=Role.ADMIN).secret
        )
        self._makers: dict[str, Callable[[], object]] = {
            "SCHEDULED_EMAIL_ID": lambda: self._send(scheduledAt="2031-01-01T00:00:00Z"),
            "EMAIL_ID": self._send,
            "DOMAIN_ID": lambda: self._post("/api/v1/domains", {"name": "d.example", "region": "us-east-1"})["id"],
            "CAMPAIGN_ID": self._make_campaign,
            "CONTACT_BOOK_ID": self._make_book,
            "CONTACT_ID": self._make_contact,
        }
        self._made: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Return an example as a reader would run it."""
        for name in self._makers:
            if re.search(rf"\b{name}\b", text):
                text = re.sub(rf"\b{name}\b", self._one(name), text)
        return text.replace("YOUR_KEY", self.client.secret)

    def _one(self, name: str) -> str:
        if name not in self._made:
            self._made[name] = str(self._makers[name]())
        return self._made[name]

    def _post(self, path: str, body: object) -> Any:
        reply = self.client.post(path, body)
        assert reply.status in (200, 201), reply
        return reply.body

    def _send(self, **more: str) -> str:
        mail = {"from": FROM, "to": "a@x.example", "subject": "s", "text": "t", **more}
        return str(self._post("/api/v1/emails", mail)["emailId"])

    def _make_book(self) -> str:
        return str(self._post("/api/v1/contactBooks", {"name": "Book", "doubleOptInEnabled": False})["id"])

    def _make_contact(self) -> str:
        if self.door == "crm":
            return str(self._post("/api/contacts", {"email": "a@x.example", "addToWorkspace": True})["id"])
        path = f"/api/v1/contactBooks/{self._one('CONTACT_BOOK_ID')}/contacts"
        return str(self._post(path, {"email": "a@x.example"})["contactId"])

    def _make_campaign(self) -> str:
        self._one("CONTACT_ID")
        book = self._one("CONTACT_BOOK_ID")
        campaign = {"name": "c", "from": FROM, "subject": "s", "contactBookId": book, "html": WAY_OUT}
        return str(self._post("/api/v1/campaigns", campaign)["id"])


def run_curl(command: str, base: str, client: ApiClient) -> Reply:
    """Do what ``curl`` would, without a network."""
    words = shlex.split(command)
    assert words[0] == "curl"
    options = dict(pairwise(words))
    (url,) = [word for word in words if word.startswith("http")]
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    assert headers.pop("Authorization") == f"Bearer {client.secret}"
    assert url.startswith(base)
    return client.ask(options["-X"], url.removeprefix(base), options.get("-d"), **headers)


@pytest.mark.parametrize(("door", "operation"), OPERATIONS)
def test_every_example_for_the_terminal_runs(door: str, operation: str, settings: Settings) -> None:
    story = Story(door)
    command = story.fill(example(show(door), operation, "curl"))
    reply = run_curl(command, f"{settings.PUBLIC_URL}/{door}", story.client)
    assert reply.status in (200, 201), reply


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", APIS)
def test_every_python_example_runs(door: str, live_server: Any, settings: Settings) -> None:
    settings.PUBLIC_URL = live_server.url
    page = show(door)
    for of, operation in OPERATIONS:
        if of == door:
            program = Story(door).fill(example(page, operation, "python"))
            with redirect_stdout(StringIO()) as said:
                exec(compile(program, operation, "exec"), {})
            assert said.getvalue().strip(), operation


@pytest.mark.parametrize("door", APIS)
def test_the_page_tells_all_and_asks_nobody_else(door: str, settings: Settings) -> None:
    page = show(door)
    document = json.loads(json.dumps(APIS[door].get_openapi_schema(path_prefix="")))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            part = page.partition(f'<article id="{operation["operationId"]}"')[2].partition("</article>")[0]
            assert path in part
            assert f">{method.upper()}<" in part
            for name in (one["name"] for one in operation.get("parameters", ())):
                assert f"<code>{name}</code>" in part
            for status in operation["responses"]:
                assert f"<code>{status}</code>" in part
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            for row in Reader(document["components"]["schemas"]).rows(schema) if schema else ():
                assert f"<code>{row.name}</code>" in part
    used = re.findall(r"(?:href|src)=\"([^\"#][^\"]*)\"", page)
    assert used
    assert all(not one.startswith(("http:", "https:", "//", "/")) for one in used), used
    assert "<script" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert len(page) < 400_000


@pytest.mark.parametrize("door", APIS)
def test_what_the_page_leads_to_is_there_for_everybody(door: str, settings: Settings) -> None:
    client = Client()
    style = client.get(f"/{door}/docs/style.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    document = client.get(f"/{door}/docs/openapi.json").json()
    assert document["servers"] == [{"url": f"{settings.PUBLIC_URL}/{door}"}]
    assert len([0 for methods in document["paths"].values() for _ in methods]) == sum(
        of == door for of, _ in OPERATIONS
    )
    moved = client.get(f"/{door}/docs/")
    assert (moved.status_code, moved.headers["Location"]) == (302, "../docs")
    assert client.post(f"/{door}/docs").status_code == 405


def test_the_places_of_usesends_server_are_open_too() -> None:
    client = Client()
    assert client.get("/usesend/api/health").json() == {"data": "Healthy"}
    assert client.get("/usesend/api/v1/doc").json() == client.get("/usesend/docs/openapi.json").json()
    assert client.get("/usesend/api/v1/ui").headers["Location"] == "../../docs"


def test_a_door_with_a_host_of_its_own_says_so(settings: Settings) -> None:
    settings.DOOR_HOSTS = {"usesend": "api.example.com"}
    assert "http://api.example.com/api/v1/emails" in show("usesend")


def test_schemas_are_read_in_every_shape() -> None:
    schemas = {
        "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "n": {"const": 1}}},
        "Kind": {"enum": ["a", "b"]},
    }
    reader = Reader(schemas)
    rows = [
        (row.name, row.type) for row in reader.rows({"type": "array", "items": {"$ref": "#/components/schemas/Node"}})
    ]
    assert rows[:3] == [("[].next", "object"), ("[].next.next", "object"), ("[].next.next.next", "object")]
    assert reader.describe({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}) == (
        "string (date-time) or null"
    )
    assert reader.describe({"type": "object", "additionalProperties": {"type": "string"}}) == "object of strings"
    assert reader.describe({"$ref": "#/components/schemas/Kind"}) == "one of a, b"
    assert reader.sample({"$ref": "#/components/schemas/Kind"}) == "a"
    assert reader.sample({"type": "integer", "minimum": 7}) == 7
    assert json.dumps(reader.sample({"$ref": "#/components/schemas/Node"}))
