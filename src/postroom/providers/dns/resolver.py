"""Looks names up within a deadline for all of a round, each name once."""

import time
from collections.abc import Sequence
from typing import Final

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TXT import TXT

from postroom.core.mail.types import DnsAnswer, DnsOutcome

ANSWER_WITHIN_S: Final = 4.0
ROUND_WITHIN_S: Final = 45.0
MAX_VALUES: Final = 50

_FAILED: Final = DnsAnswer(DnsOutcome.FAILED)


class Resolver:
    """A name system for one round of look-ups: what was asked is not asked again, and after ``round_s`` nobody is."""

    def __init__(
        self, servers: Sequence[str] = (), *, answer_s: float = ANSWER_WITHIN_S, round_s: float = ROUND_WITHIN_S
    ) -> None:
        self._resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            hosts = [_split(server) for server in servers]
            self._resolver.nameservers = [host for host, _ in hosts]
            self._resolver.nameserver_ports = dict(hosts)
        self._resolver.timeout = answer_s / 2
        self._answer_s = answer_s
        self._until = time.monotonic() + round_s
        self._known: dict[tuple[str, str], DnsAnswer] = {}

    def look_up(self, name: str, type: str) -> DnsAnswer:
        """Return the records of ``type`` at ``name``; never raises. A server that fails is no answer."""
        key = (name.lower().rstrip("."), type)
        if key not in self._known:
            self._known[key] = self._ask(*key)
        return self._known[key]

    def _ask(self, name: str, type: str) -> DnsAnswer:
        within = min(self._answer_s, self._until - time.monotonic())
        if within <= 0:
            return _FAILED
        try:
            answer = self._resolver.resolve(name, type, search=False, lifetime=within)
        except dns.resolver.NXDOMAIN:
            return DnsAnswer(DnsOutcome.NO_NAME)
        except (dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return DnsAnswer(DnsOutcome.NO_DATA)
        except (dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong):
            return DnsAnswer(DnsOutcome.NO_NAME)  # no name at all has no records
        except (dns.exception.DNSException, OSError):
            return _FAILED
        return DnsAnswer(DnsOutcome.FOUND, tuple(sorted(_text(rdata) for rdata in answer))[:MAX_VALUES])


def build_resolver() -> Resolver:
    """Return a resolver for one round, over the operator's servers or else the machine's."""
    return Resolver(settings.DNS_SERVERS)


def _text(rdata: object) -> str:
    """Return a record as the core reads it: the strings of a TXT record joined (RFC 7208, section 3.3)."""
    if isinstance(rdata, TXT):
        return b"".join(rdata.strings).decode("utf-8", "replace").replace("\0", "\ufffd")
    if isinstance(rdata, MX):
        return f"{rdata.preference} {rdata.exchange.to_text(omit_final_dot=True)}"
    if isinstance(rdata, CNAME | PTR):
        return rdata.target.to_text(omit_final_dot=True)
    return str(rdata)


def _split(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    has_port = server.count(":") == 1 or "]:" in server
    return (host.strip("[]"), int(port)) if has_port else (server.strip("[]"), 53)
