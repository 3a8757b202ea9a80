"""Publishing what a domain needs, as its owner would, on a name server of one's own."""

from datetime import datetime
from functools import cache

import pytest

from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.mail.models import Domain
from postroom.core.mail.rules.dkim import generate_keys
from postroom.core.mail.types import RecordPurpose
from postroom.providers.dns import Resolver
from tests.stand_ins.dns import Zone

_same_keys = cache(generate_keys)


def make_keys_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every new domain of a test run the same keys: making a pair takes longer than a test."""
    monkeypatch.setattr("postroom.core.mail.services.domains.generate_keys", _same_keys)


def look_up(domain: Domain, zone: Zone, now: datetime, fault: str = "") -> None:
    """Look the records of ``domain`` up in ``zone``; ``fault`` is what is wrong with its links."""
    names = Resolver([zone.address], answer_s=0.5)
    mail.check_domain(domain_id=domain.pk, names=names, find_link_fault=lambda url: fault, now=now)
    domain.refresh_from_db()


def publish(zone: Zone, domain: Domain, *, without: tuple[RecordPurpose, ...] = ()) -> None:
    """Put every record of ``domain`` into ``zone`` as its page shows it, but those for the purposes in ``without``."""
    for record in selectors.dns_records(domain=domain):
        if record.purpose in without:
            continue
        if record.purpose is RecordPurpose.MX:
            zone.put(record.name, "MX", f"10 mail.{domain.name}.")
        elif record.purpose is RecordPurpose.PTR:
            zone.put(record.name, "PTR", f"out.{domain.name}.")
        elif record.type in ("MX", "CNAME"):
            zone.put(record.name, record.type, f"{record.value}.")
        else:
            zone.put(record.name, record.type, record.value)
