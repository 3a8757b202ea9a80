"""Who may send in a domain's name (SPF, RFC 7208): the record is read, counted and evaluated as a receiver does it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from postroom.core.mail.ports import NameSystem
from postroom.core.mail.types import DnsOutcome

MAX_LOOKUPS: Final = 10
"""Terms that ask the name system, in the record and all it includes (section 4.6.4); the next one is an error."""

MAX_HOSTS: Final = 10

_TERM: Final = re.compile(
    r"(?P<sign>[-+~?])?(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?P<rest>[:/].*)?\Z|(?P<modifier>[a-z][\w.-]*)=(?P<value>.*)\Z",
    re.IGNORECASE | re.ASCII,
)
_MASKS: Final = re.compile(r"(?P<domain>.*?)(?:/(?P<four>\d{1,2}))?(?://(?P<six>\d{1,3}))?\Z")
_MACRO: Final = re.compile(r"%\{(?P<letter>[slodipvh])(?P<count>\d*)(?P<reverse>r?)\}|%%|%_|%-", re.IGNORECASE)

Address = IPv4Address | IPv6Address


class SpfResult(Enum):
    """What a receiver concludes (section 2.6)."""

    PASS = "pass"  # noqa: S105  (a verdict, no password)
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"


_RESULTS: Final = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism or modifier: ``sign`` says what a match means, ``domain`` and masks are as written."""

    name: str
    sign: str = "+"
    domain: str = ""
    four: int = 32
    six: int = 128

    @property
    def asks(self) -> bool:
        """Whether it costs one of the ten look-ups."""
        return self.name in ("include", "a", "mx", "ptr", "exists", "redirect")


class SpfError(Exception):
    """The record cannot be used: ``is_temporary`` when only an answer was missing. The message is for a person."""

    def __init__(self, message: str, *, is_temporary: bool = False) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary


@dataclass(slots=True)
class SpfTree:
    """A record with all it includes: how many look-ups it may take, and the domains it relies on."""

    lookups: int = 0
    domains: set[str] = field(default_factory=set)
    allows_all: bool = False


def find_records(domain: str, names: NameSystem) -> list[str]:
    """Return the SPF records at ``domain``. Raises SpfError when nobody answers."""
    answer = names.look_up(domain, "TXT")
    if answer.outcome is DnsOutcome.FAILED:
        raise SpfError(f"Nobody answers for {domain}.", is_temporary=True)
    return [text for text in answer.values if re.match(r"v=spf1(?: |\Z)", text, re.IGNORECASE)]


def read_terms(record: str) -> tuple[Term, ...]:
    """Return the terms of a record. Raises SpfError for one that no receiver can read."""
    return tuple(_read_term(word) for word in record.split()[1:])


def walk_record(domain: str, names: NameSystem) -> SpfTree:
    """Return what evaluating ``domain`` may cost at worst. Raises SpfError for a record that does not work."""
    tree = SpfTree()
    _walk(domain, names, tree, is_top=True)
    return tree


def evaluate(address: str, domain: str, names: NameSystem) -> SpfResult:
    """Return what a receiver concludes of mail from the IP ``address`` in the name of ``domain`` (section 4)."""
    try:
        return _Evaluation(ip_address(address), names).check(domain)
    except SpfError as error:
        return SpfResult.TEMPERROR if error.is_temporary else SpfResult.PERMERROR


def _read_term(word: str) -> Term:
    match = _TERM.match(word)
    if match is None:
        raise SpfError(f"“{word[:60]}” is no term of SPF.")
    if match["modifier"]:
        return Term(match["modifier"].lower(), domain=match["value"])
    name, rest = match["name"].lower(), match["rest"] or ""
    if name in ("ip4", "ip6"):
        return Term(name, match["sign"] or "+", _network(word, rest))
    if name == "all" and rest:
        raise SpfError(f"“{word[:60]}” is no term of SPF.")
    masks = _MASKS.match(rest.removeprefix(":")) if name in ("a", "mx") else None
    domain = masks["domain"] if masks else rest.removeprefix(":")
    if name in ("include", "exists") and not domain:
        raise SpfError(f"“{word[:60]}” names no domain.")
    four, six = (int((masks and masks[part]) or most) for part, most in (("four", 32), ("six", 128)))
    if four > 32 or six > 128:
        raise SpfError(f"“{word[:60]}” is no term of SPF.")
    return Term(name, match["sign"] or "+", domain, four, six)


def _network(word: str, rest: str) -> str:
    try:
        ip_network(rest.removeprefix(":"), strict=False)
    except ValueError as error:
        raise SpfError(f"“{word[:60]}” is no address.") from error
    return rest.removeprefix(":")


def _only_record(domain: str, names: NameSystem) -> str | None:
    records = find_records(domain, names)
    if len(records) > 1:
        raise SpfError(f"{domain} has {len(records)} SPF records, and receivers then use none.")
    return records[0] if records else None


def _walk(domain: str, names: NameSystem, tree: SpfTree, *, is_top: bool) -> None:
    record = _only_record(domain, names)
    if record is None:
        if is_top:
            return
        raise SpfError(f"It includes {domain}, which has no SPF record.")
    terms = read_terms(record)
    for term in terms:
        tree.lookups += term.asks
        tree.allows_all |= term.name == "all" and term.sign == "+"
        if term.name not in ("include", "redirect") or (term.name == "redirect" and _has_all(terms)):
            continue
        target = term.domain.lower().rstrip(".")
        if target in tree.domains or "%" in target:
            continue
        tree.domains.add(target)
        if tree.lookups > MAX_LOOKUPS * 3:
            return
        _walk(target, names, tree, is_top=False)


def _has_all(terms: tuple[Term, ...]) -> bool:
    return any(term.name == "all" for term in terms)


@dataclass(slots=True)
class _Evaluation:
    address: Address
    names: NameSystem
    lookups: int = 0

    def check(self, domain: str) -> SpfResult:
        record = _only_record(domain, self.names)
        if record is None:
            return SpfResult.NONE
        terms = read_terms(record)
        for term in terms:
            if term.name != "redirect" and self._matches(term, domain):
                return _RESULTS[term.sign]
        for term in terms:
            if term.name == "redirect":
                self._count(term)
                result = self.check(self._expand(term.domain, domain))
                return SpfResult.PERMERROR if result is SpfResult.NONE else result
        return SpfResult.NEUTRAL

    def _count(self, term: Term) -> None:
        self.lookups += term.asks
        if self.lookups > MAX_LOOKUPS:
            raise SpfError(f"It takes more than {MAX_LOOKUPS} look-ups.")

    def _matches(self, term: Term, domain: str) -> bool:
        self._count(term)
        target = self._expand(term.domain, domain) or domain
        if term.name == "all":
            return True
        if term.name in ("ip4", "ip6"):
            network = ip_network(term.domain, strict=False)
            return network.version == self.address.version and self.address in network
        if term.name == "include":
            return self._includes(target)
        if term.name == "exists":
            return self._look_up(target, "A") != ()
        if term.name in ("a", "mx"):
            hosts = [target] if term.name == "a" else self._exchanges(target)
            return any(self._is_among(term, value) for host in hosts for value in self._addresses(host))
        return False  # "ptr" is not to be used any more (section 5.5), and what we do not know matches nothing

    def _includes(self, domain: str) -> bool:
        result = self.check(domain)
        if result is SpfResult.NONE:
            raise SpfError(f"It includes {domain}, which has no SPF record.")
        return result is SpfResult.PASS

    def _exchanges(self, domain: str) -> Iterator[str]:
        return (value.split(" ")[-1] for value in self._look_up(domain, "MX")[:MAX_HOSTS])

    def _addresses(self, host: str) -> tuple[str, ...]:
        return self._look_up(host, "A" if self.address.version == 4 else "AAAA")

    def _look_up(self, name: str, type: str) -> tuple[str, ...]:
        answer = self.names.look_up(name, type)
        if answer.outcome is DnsOutcome.FAILED:
            raise SpfError(f"Nobody answers for {name}.", is_temporary=True)
        return answer.values

    def _is_among(self, term: Term, value: str) -> bool:
        length = term.four if self.address.version == 4 else term.six
        return self.address in ip_network(f"{value}/{length}", strict=False)

    def _expand(self, text: str, domain: str) -> str:
        """Fill the macros of a domain (section 7); the sender's own name is ``postmaster``, as for a bounce."""
        if "%" not in text:
            return text
        dotted = ".".join(self.address.exploded.replace(":", "")) if self.address.version == 6 else str(self.address)
        version = "in-addr" if self.address.version == 4 else "ip6"
        values = {"i": dotted, "v": version, "d": domain, "o": domain, "h": domain, "l": "postmaster"}
        values |= {"s": f"postmaster@{domain}", "p": "unknown"}

        def fill(match: re.Match[str]) -> str:
            if match["letter"] is None:
                return {"%%": "%", "%_": " ", "%-": "%20"}[match[0]]
            parts = values[match["letter"].lower()].split(".")
            parts = parts[::-1] if match["reverse"] else parts
            return ".".join(parts[-int(match["count"]) :] if match["count"] else parts)

        return _MACRO.sub(fill, text)
