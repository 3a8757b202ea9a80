"""The PyPI client as its users make it, with a note of every method that is called."""

import functools
import inspect
import json
import os
import time
from typing import Any

import pytest
import requests
from usesend import UseSend, Webhooks

FACTS: dict[str, Any] = json.loads(os.environ["POSTROOM_FACTS"])
RESOURCES = ("emails", "contacts", "contact_books", "domains", "campaigns")
CALLED: set[str] = set()


def public_methods(thing: object) -> set[str]:
    return {name for name, _ in inspect.getmembers(thing, inspect.ismethod) if not name.startswith("_")}


def noting(thing: Any, place: str) -> None:
    """Have ``thing`` note the calls of its methods."""
    for name in public_methods(thing):
        method = getattr(thing, name)

        def note(*args: Any, _method: Any = method, _name: str = f"{place}{name}", **options: Any) -> Any:
            CALLED.add(_name)
            return _method(*args, **options)

        setattr(thing, name, functools.wraps(method)(note))


def make_client(key: str = FACTS["key"], url: str = FACTS["url"], *, raises: bool = False) -> UseSend:
    client = UseSend(key, url, raise_on_error=raises)
    noting(client, "")
    for name in RESOURCES:
        noting(getattr(client, name), f"{name}.")
    return client


def all_methods() -> set[str]:
    """Every public method of the client, of its resources and of its verifier."""
    client = UseSend("us_x", "http://localhost")
    found = public_methods(client) | {f"webhooks.{name}" for name in public_methods(Webhooks("s"))}
    resources = {name for name, value in vars(client).items() if type(value).__module__.startswith("usesend.")}
    assert resources == {*RESOURCES, "contactBooks"}, "the client has a resource that is not driven"
    return found | {f"{name}.{method}" for name in RESOURCES for method in public_methods(getattr(client, name))}


def until(look: Any, limit_s: float = 30) -> Any:
    """Return what ``look`` returns once it is true."""
    started = time.monotonic()
    while not (found := look()):
        assert time.monotonic() - started < limit_s, "waited in vain"
        time.sleep(0.2)
    return found


def publish(domain: dict[str, Any]) -> None:
    """Put the records of a domain into the DNS, as its owner would."""
    wanted = {"zone": domain["name"], "records": domain["dnsRecords"]}
    requests.post(f"{FACTS['outside']}/publish", json=wanted, timeout=10).raise_for_status()


def received() -> list[dict[str, Any]]:
    """Return the webhooks that came so far."""
    found: list[dict[str, Any]] = requests.get(f"{FACTS['outside']}/calls", timeout=10).json()
    return found


@pytest.fixture
def client() -> UseSend:
    return make_client()


@pytest.fixture
def facts() -> dict[str, Any]:
    return FACTS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks whether everything was called comes last."""
    items.sort(key=lambda item: "every_method" in item.nodeid)
