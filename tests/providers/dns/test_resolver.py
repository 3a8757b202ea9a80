"""The resolver against a real name server: what it reads, what it says of silence, and when it gives up."""

import time
from collections.abc import Iterator

import pytest

from postroom.core.mail.types import DnsOutcome
from postroom.providers.dns import Resolver
from tests.stand_ins.dns import Zone, serve_names


@pytest.fixture
def zone() -> Iterator[Zone]:
    with serve_names() as served:
        yield served


def test_records_are_read_as_text(zone: Zone) -> None:
    zone.put("example.com", "TXT", 'say "hi" \\ here', "x" * 400)
    zone.put("example.com", "MX", "20 b.example.com.", "10 a.example.com.")
    zone.put("www.example.com", "CNAME", "host.example.net.")
    zone.put("host.example.net", "A", "192.0.2.1")
    names = Resolver([zone.address])
    assert names.look_up("Example.com.", "TXT").values == ('say "hi" \\ here', "x" * 400)
    assert names.look_up("example.com", "MX").values == ("10 a.example.com", "20 b.example.com")
    assert names.look_up("www.example.com", "CNAME").values == ("host.example.net",)
    assert names.look_up("www.example.com", "A").values == ("192.0.2.1",)


def test_an_answer_too_long_for_one_packet_comes_over_tcp(zone: Zone) -> None:
    texts = [f"{number:04d}" + "y" * 300 for number in range(8)]
    zone.put("long.example", "TXT", *texts)
    assert Resolver([zone.address]).look_up("long.example", "TXT").values == tuple(texts)


def test_no_name_no_data_and_no_answer_are_told_apart(zone: Zone) -> None:
    zone.put("only.example", "A", "192.0.2.1")
    zone.failing.add("broken.example")
    names = Resolver([zone.address], answer_s=0.5)
    assert names.look_up("nowhere.example", "TXT").outcome is DnsOutcome.NO_NAME
    assert names.look_up("only.example", "TXT").outcome is DnsOutcome.NO_DATA
    assert names.look_up("broken.example", "TXT").outcome is DnsOutcome.FAILED
    assert names.look_up("a..b", "TXT").outcome is DnsOutcome.NO_NAME
    assert names.look_up(f"{'a' * 64}.example", "TXT").outcome is DnsOutcome.NO_NAME


def test_a_name_is_asked_for_once(zone: Zone) -> None:
    names = Resolver([zone.address])
    for _ in range(3):
        names.look_up("nowhere.example", "TXT")
    assert zone.asked == [("nowhere.example", "TXT")]


def test_silence_ends_with_the_round(zone: Zone) -> None:
    zone.silent.update({f"s{number}.example" for number in range(20)})
    names = Resolver([zone.address], answer_s=0.3, round_s=0.7)
    began = time.monotonic()
    outcomes = [names.look_up(f"s{number}.example", "TXT").outcome for number in range(20)]
    assert set(outcomes) == {DnsOutcome.FAILED}
    assert time.monotonic() - began < 1.5


def test_a_server_that_is_not_there_is_no_answer() -> None:
    assert Resolver(["127.0.0.1:1"], answer_s=0.3).look_up("a.example", "A").outcome is DnsOutcome.FAILED
