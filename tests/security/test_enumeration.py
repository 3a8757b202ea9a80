"""S12: nobody learns from our pages who is known: same status, same words, same time for a known and an unknown one."""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from postroom.core.contacts.rules.links import confirm_token, preference_token
from postroom.core.contacts.types import ConfirmLink
from postroom.core.mail.rules import tokens
from postroom.edge import brake
from postroom.kit import clock, crypto
from tests.edge.readers import make_letter, make_list, make_reader
from tests.factories import PASSWORD, make_user, make_workspace

VISITS: Final = 1_000
MAX_GAP_S: Final = 0.005

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(600)]

Visit = Callable[[], HttpResponse]


class QuickHasher(PBKDF2PasswordHasher):
    """Quick enough for thousands of tries, and still slower than the gap that would give somebody away."""

    iterations = 50_000


@pytest.fixture(autouse=True)
def unbraked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    settings.ACCOUNT_RATE_LIMITS = False
    monkeypatch.setattr(brake, "MAX_PER_HOUR", 10 * VISITS)


def words(answer: HttpResponse) -> tuple[int, str]:
    """Return status and text without what changes at every request and what the visitor typed themselves."""
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', "", answer.content.decode())
    return answer.status_code, re.sub(r"[\w.-]+@[\w.-]+", "", text)


def compare(name: str, known: Visit, unknown: Visit, visits: int = VISITS) -> None:
    """Visit as both by turns, and compare words and median time."""
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    said = set()
    for number in range(visits):
        pair = (("known", known), ("unknown", unknown))
        for kind, visit in pair if number % 2 else reversed(pair):
            started = time.perf_counter()
            answer = visit()
            times[kind].append(time.perf_counter() - started)
            said.add(words(answer))
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    gap = abs(medians["known"] - medians["unknown"])
    print(  # noqa: T201 - the figures are the point
        f"S12 {name}: {visits} each, known {1e3 * medians['known']:.2f} ms,"
        f" unknown {1e3 * medians['unknown']:.2f} ms, gap {1e3 * gap:.2f} ms"
    )
    assert len(said) == 1, said
    assert gap < MAX_GAP_S


def addresses(pattern: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield pattern.format(number)


def test_asking_for_a_preference_link_tells_nothing(client: Client) -> None:
    workspace = make_workspace()
    reader = make_reader(workspace)
    strangers = addresses("stranger-{}@example.com")
    url = f"/preferences/{workspace.slug}/"
    compare(
        "preference link",
        lambda: client.post(url, {"email": reader.email}),
        lambda: client.post(url, {"email": next(strangers)}),
    )


@pytest.mark.parametrize("kind", ["export", "erasure"])
def test_asking_for_ones_data_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr("postroom.edge.brake.MAX_PER_HOUR", 10**6)
    workspace = make_workspace()
    reader = make_reader(workspace)
    strangers = addresses("stranger-{}@example.com")
    url = f"/privacy/{workspace.slug}/"
    compare(
        f"privacy link ({kind})",
        lambda: client.post(url, {"email": reader.email, "kind": kind}),
        lambda: client.post(url, {"email": next(strangers), "kind": kind}),
    )


@pytest.mark.parametrize("door", ["u", "p", "confirm"])
def test_a_forged_token_is_refused_alike_whether_it_names_somebody_or_nobody(client: Client, door: str) -> None:
    workspace = make_workspace()
    list_ = make_list(workspace)
    reader = make_reader(workspace, list_)
    letter = make_letter(workspace, reader, list_)
    good = {
        "u": tokens.unsubscribe_token(letter.pk),
        "p": preference_token(workspace.pk, reader.pk),
        "confirm": confirm_token(ConfirmLink(list_.pk, reader.pk, clock.now())),
    }[door]
    nobody = {
        "u": tokens.unsubscribe_token(letter.pk + 1_000),
        "p": preference_token(workspace.pk, reader.pk + 1_000),
        "confirm": confirm_token(ConfirmLink(list_.pk, reader.pk + 1_000, clock.now())),
    }[door]
    compare(
        f"forged token at /{door}/",
        lambda: client.get(f"/{door}/{_spoil(good)}"),
        lambda: client.get(f"/{door}/{_spoil(nobody)}"),
    )


def test_signing_in_with_a_known_address_tells_nothing() -> None:
    make_user(email="robin@example.com", password=PASSWORD)
    strangers = addresses("stranger-{}@example.com")

    def sign_in(email: str) -> HttpResponse:
        body = {"login": email, "password": "wrong horse"}
        answer = Client().post("/accounts/login/", body)
        assert isinstance(answer, HttpResponse)
        return answer

    sign_in("robin@example.com")  # the first failure upgrades nothing, but loads everything
    compare("sign-in", lambda: sign_in("robin@example.com"), lambda: sign_in(next(strangers)))


def test_tokens_carry_128_bits_and_differ_by_person_and_purpose() -> None:
    assert crypto.MAC_SIZE * 8 == 128
    made = [preference_token(1, number) for number in range(1_000)]
    made += [confirm_token(ConfirmLink(1, number, clock.now())) for number in range(1_000)]
    made += [tokens.unsubscribe_token(number) for number in range(1_000)]
    assert len({one[-20:] for one in made}) == len(made)


def _spoil(token: str) -> str:
    """Return the token with its signature changed, and what it names left as it is."""
    return token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
