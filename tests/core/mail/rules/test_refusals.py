"""What servers refuse mail for, by replies as the large providers and the usual servers word them."""

import time
from pathlib import Path

import pytest

from postroom.core.mail.ports import Outcome, Result
from postroom.core.mail.rules.refusals import classify, classify_reply, explain, quote
from postroom.core.mail.rules.settling import find_bad_addresses
from postroom.core.mail.types import RefusalKind

CORPUS = Path(__file__).parents[3] / "data" / "refusals.tsv"


def replies() -> list[tuple[RefusalKind, Result]]:
    lines = [line for line in CORPUS.read_text().splitlines() if line and not line.startswith("#")]
    return [_reply(*line.split("\t")) for line in lines]


def _reply(kind: str, code: str, enhanced: str, text: str) -> tuple[RefusalKind, Result]:
    is_temporary = code.startswith("4") or kind == "connection"
    return RefusalKind(kind), Result(Outcome.DEFERRED if is_temporary else Outcome.FAILED, int(code), enhanced, text)


@pytest.mark.parametrize(("kind", "result"), replies(), ids=lambda value: str(getattr(value, "text", value))[:50])
def test_every_reply_of_the_corpus_is_understood(kind: RefusalKind, result: Result) -> None:
    assert classify(result) is kind


def test_the_corpus_is_worth_its_name() -> None:
    found = replies()
    assert len(found) >= 100
    assert {kind for kind, _ in found} == set(RefusalKind) - {RefusalKind.EXPIRED}


@pytest.mark.parametrize(("kind", "result"), replies(), ids=lambda value: str(getattr(value, "text", value))[:50])
def test_nothing_but_a_bad_address_is_suppressed(kind: RefusalKind, result: Result) -> None:
    expected = ["ann@example.com"] if kind is RefusalKind.BAD_ADDRESS else []
    assert find_bad_addresses(result, ["ann@example.com"]) == expected


def test_a_code_within_the_words_counts_when_it_is_of_the_same_class() -> None:
    assert classify_reply(550, "", "rejected (#5.1.1)") is RefusalKind.BAD_ADDRESS
    assert classify_reply(450, "", "rejected (#5.1.1)") is RefusalKind.TEMPORARY
    assert classify_reply(550, "", "see RFC 4.5.1.1 or version 15.1.1") is RefusalKind.REFUSED


def test_an_answer_that_is_no_refusal_has_no_kind() -> None:
    assert classify(Result(Outcome.SENT, 250, "2.0.0", "Ok")) is None
    assert classify(Result(Outcome.IN_DOUBT)) is None


def test_a_refusal_that_blames_our_set_up_says_what_to_mend() -> None:
    said = explain(Result(Outcome.FAILED, 550, "5.7.515", "Access denied"), RefusalKind.CONFIGURATION)
    assert "Microsoft" in said
    assert "DMARC" in said
    assert said.endswith("550 5.7.515 Access denied")


def test_what_is_kept_of_a_server_s_words_names_no_address() -> None:
    result = Result(Outcome.FAILED, 554, "5.7.1", "<ann@example.com>: Relay access denied for 'bob+x@example.org', bye")
    assert quote(result) == "554 5.7.1 (address): Relay access denied for (address), bye"
    assert "@" not in explain(result, RefusalKind.CONFIGURATION)


def test_a_hostile_reply_is_read_in_no_time() -> None:
    began = time.perf_counter()
    for piece in (
        "user " * 20_000,
        "address " + "a" * 100_000,
        "recipient x" * 9_000 + " not",
        "\x00" * 50_000,
        "a@" * 50_000,
    ):
        classify_reply(550, "", piece)
        quote(Result(Outcome.FAILED, 550, "", piece))
    assert time.perf_counter() - began < 0.5
