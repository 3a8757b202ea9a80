"""SPF as receivers evaluate it (RFC 7208), asked of a real name server."""

from collections.abc import Iterator

import pytest

from postroom.core.mail.rules import spf
from postroom.core.mail.rules.spf import SpfResult
from postroom.providers.dns import Resolver
from tests.stand_ins.dns import Zone, serve_names

NEXT = "203.0.113.7"


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with serve_names() as served:
        yield served


def ask(zone: Zone) -> Resolver:
    return Resolver([zone.address], answer_s=1.0)


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:203.0.113.0/24 -all", SpfResult.PASS),
        ("v=spf1 ip4:198.51.100.1 -all", SpfResult.FAIL),
        ("v=spf1 ip4:198.51.100.1 ~all", SpfResult.SOFTFAIL),
        ("v=spf1 ?ip4:203.0.113.7 -all", SpfResult.NEUTRAL),
        ("v=spf1", SpfResult.NEUTRAL),
        ("V=SPF1 IP4:203.0.113.7 -ALL", SpfResult.PASS),
        ("v=spf1 a:out.example -all", SpfResult.PASS),
        ("v=spf1 a:out.example/16 -all", SpfResult.PASS),
        ("v=spf1 mx:mxed.example -all", SpfResult.PASS),
        ("v=spf1 include:inner.example -all", SpfResult.PASS),
        ("v=spf1 -include:inner.example all", SpfResult.FAIL),
        ("v=spf1 redirect=inner.example", SpfResult.PASS),
        ("v=spf1 redirect=nothing.example", SpfResult.PERMERROR),
        ("v=spf1 include:nothing.example -all", SpfResult.PERMERROR),
        ("v=spf1 exists:%{i}.known.example -all", SpfResult.PASS),
        ("v=spf1 exists:%{ir}.%{v}.known.example -all", SpfResult.PASS),
        ("v=spf1 exists:%{d2}.known.example -all", SpfResult.FAIL),
        ("v=spf1 unknown-modifier=fine ip4:203.0.113.7 -all", SpfResult.PASS),
        ("v=spf1 ip4:nonsense -all", SpfResult.PERMERROR),
        ("v=spf1 a/33 -all", SpfResult.PERMERROR),
        ("v=spf1 mx//129 -all", SpfResult.PERMERROR),
        ("v=spf1 includes:inner.example -all", SpfResult.PERMERROR),
        ("v=spf1 all:example -all", SpfResult.PERMERROR),
        ("v=spf1 include: -all", SpfResult.PERMERROR),
        ("v=spf1 ip6:2001:db8::/32 -all", SpfResult.FAIL),
        ("v=spf10 ip4:203.0.113.7 -all", SpfResult.NONE),
        ("v=spf1 a:slow.example -all", SpfResult.TEMPERROR),
    ],
)
def test_a_record_is_evaluated_as_receivers_do(zone: Zone, record: str, result: SpfResult) -> None:
    zone.put("inner.example", "TXT", "v=spf1 ip4:203.0.113.0/28 -all")
    zone.put("out.example", "A", NEXT)
    zone.put("mxed.example", "MX", "10 out.example.")
    zone.put("203.0.113.7.known.example", "A", "127.0.0.2")
    zone.put("7.113.0.203.in-addr.known.example", "A", "127.0.0.2")
    zone.failing.add("slow.example")
    zone.put("case.example", "TXT", "some other words", record)
    assert spf.evaluate(NEXT, "case.example", ask(zone)) is result


def test_an_address_of_the_new_kind_is_looked_for_among_its_own(zone: Zone) -> None:
    zone.put("six.example", "TXT", "v=spf1 a:host6.example ip6:2001:db8:1::/48 -all")
    zone.put("host6.example", "AAAA", "2001:db8::25")
    names = ask(zone)
    assert spf.evaluate("2001:db8::25", "six.example", names) is SpfResult.PASS
    assert spf.evaluate("2001:db8:1::9", "six.example", names) is SpfResult.PASS
    assert spf.evaluate("2001:db8:2::9", "six.example", names) is SpfResult.FAIL


def test_the_eleventh_look_up_breaks_a_record(zone: Zone) -> None:
    for number in range(11):
        zone.put(f"part{number}.example", "TXT", "v=spf1 ip4:198.51.100.9 -all")
    ten = " ".join(f"include:part{number}.example" for number in range(10))
    zone.put("ten.example", "TXT", f"v=spf1 {ten} ip4:203.0.113.7 -all")
    zone.put("eleven.example", "TXT", f"v=spf1 {ten} include:part10.example ip4:203.0.113.7 -all")
    names = ask(zone)
    assert spf.evaluate(NEXT, "ten.example", names) is SpfResult.PASS
    assert spf.evaluate(NEXT, "eleven.example", names) is SpfResult.PERMERROR
    assert spf.walk_record("ten.example", names).lookups == 10
    assert spf.walk_record("eleven.example", names).lookups == 11


def test_records_that_include_each_other_end(zone: Zone) -> None:
    zone.put("this.example", "TXT", "v=spf1 include:that.example -all")
    zone.put("that.example", "TXT", "v=spf1 include:this.example -all")
    names = ask(zone)
    assert spf.walk_record("this.example", names).domains == {"this.example", "that.example"}
    assert spf.evaluate(NEXT, "this.example", names) is SpfResult.PERMERROR


def test_two_records_are_none(zone: Zone) -> None:
    zone.put("twice.example", "TXT", "v=spf1 -all", "v=spf1 ip4:203.0.113.7 -all")
    assert spf.evaluate(NEXT, "twice.example", ask(zone)) is SpfResult.PERMERROR
