"""Whose address counts: the peer's, unless proxies of our own stand between."""

import pytest
from pytest_django import Settings

from postroom.config.asgi import see_through_proxies
from postroom.kit.asgi import Scope


def request_from(*forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"type": "http", "path": "/", "client": ("10.0.0.1", 4711), "headers": headers}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, ("192.0.2.7",), "10.0.0.1"),
        (1, (), "10.0.0.1"),
        (1, ("192.0.2.7",), "192.0.2.7"),
        (1, ("203.0.113.9, 192.0.2.7",), "192.0.2.7"),
        (1, ("203.0.113.9", "192.0.2.7"), "192.0.2.7"),
        (2, ("203.0.113.9, 192.0.2.7, 10.0.0.2",), "192.0.2.7"),
        (2, ("192.0.2.7",), "10.0.0.1"),
    ],
)
def test_only_the_word_of_our_own_proxies_is_taken(
    settings: Settings, proxies: int, forwarded: tuple[str, ...], seen: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert see_through_proxies(request_from(*forwarded))["client"][0] == seen
