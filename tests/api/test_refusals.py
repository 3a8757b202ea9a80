"""Every failure the product knows is answered by every dialect, in its own envelope, and nothing else gets out."""

import json
from typing import Any, Final

import pytest
from django.test import RequestFactory

from postroom.api.crm.api import api as crm
from postroom.api.shared.errors import DialectAPI
from postroom.api.usesend.api import api as usesend
from postroom.kit.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, RateLimited, Unavailable
from tests.architecture.sources import load_modules
from tests.architecture.test_house import subclasses

for prefix in ("postroom.core", "postroom.providers", "postroom.kit"):
    load_modules(prefix)

FAMILIES: Final = (Invalid, NotFound, NotPermitted, Conflict, RateLimited, Unavailable)
ERRORS: Final = [error for error in {AppError, *subclasses(AppError)} if error.__module__.startswith("postroom.")]
STATUSES: Final[dict[str, dict[type[AppError], set[int]]]] = {
    "usesend": {
        Invalid: {400},
        NotFound: {404},
        NotPermitted: {403},
        Conflict: {409, 400, 403},  # the others where the contract knows no conflict
        RateLimited: {429},
        Unavailable: {500},
    },
    "crm": {
        Invalid: {400},
        NotFound: {404, 403},
        NotPermitted: {403, 401},
        Conflict: {409},
        RateLimited: {429},
        Unavailable: {503},
    },
}


def answer(api: DialectAPI, error: Exception) -> tuple[int, Any]:
    response = api.on_exception(RequestFactory().get("/"), error)
    return response.status_code, json.loads(response.content)


def make(error: type[AppError], message: str) -> AppError:
    """Return an error of this class, whatever else its own constructor wants to know."""
    made = error.__new__(error)
    AppError.__init__(made, message)
    return made


def sentence(body: Any) -> str:
    """Return the message, after a look at the envelope."""
    said = body["error"]
    if isinstance(said, dict):
        assert set(said) == {"code", "message"}
        return str(said["message"])
    return str(said)


@pytest.mark.parametrize("api", [crm, usesend], ids=lambda api: api.title)
@pytest.mark.parametrize("error", sorted(ERRORS, key=lambda error: error.code), ids=lambda error: error.code)
def test_every_error_has_a_status_and_a_sentence(api: DialectAPI, error: type[AppError]) -> None:
    status, body = answer(api, make(error, "Something particular."))
    family = next((family for family in FAMILIES if issubclass(error, family)), None)
    assert status in (STATUSES[api.title][family] if family else {500})
    assert sentence(body)


def test_no_error_stands_outside_the_families() -> None:
    assert [error for error in ERRORS if error is not AppError and not issubclass(error, FAMILIES)] == []


@pytest.mark.parametrize("api", [crm, usesend], ids=lambda api: api.title)
def test_what_nobody_expected_says_nothing_of_the_inside(api: DialectAPI) -> None:
    status, body = answer(api, RuntimeError("secret inside"))
    assert status == 500
    assert "secret" not in sentence(body)


@pytest.mark.parametrize("api", [crm, usesend], ids=lambda api: api.title)
def test_who_comes_too_often_is_told_when_to_come_back(api: DialectAPI) -> None:
    response = api.on_exception(RequestFactory().get("/"), RateLimited(retry_after_s=2.6))
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3")
