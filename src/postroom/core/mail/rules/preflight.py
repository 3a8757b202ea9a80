"""What Gmail, Yahoo and Microsoft demand of bulk mail, held against an account before it sends.

From 5,000 messages a day to their readers they refuse what lacks one of: SPF and DKIM that pass, DMARC with one of the
two aligned, one-click unsubscribing under the signature, TLS, and few complaints. Below that a lack is a warning,
except for mail that nothing vouches for at all.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from postroom.core.mail.rules.destinations import destination_of
from postroom.core.mail.rules.dmarc import read_policy
from postroom.core.mail.types import Destination, Finding, RecordPurpose, RecordStatus

STRICT_FROM: Final = 5_000
"""Messages a day from which Gmail and Microsoft call somebody a bulk sender."""

COMPLAINTS_REFUSED: Final = 0.003
COMPLAINTS_TOLD: Final = 0.001
FEWEST_JUDGED: Final = 1_000
"""Complaints and bounces are a rate only of so many messages."""

STALE_AFTER: Final = timedelta(days=7)

_NAMES: Final = (
    "gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru inbox.ru list.ru bk.ru"
    " yandex.ru yandex.com proton.me protonmail.com pm.me tutanota.com tuta.com zoho.com qq.com 163.com 126.com"
    " sina.com naver.com daum.net hanmail.net libero.it virgilio.it orange.fr wanadoo.fr laposte.net free.fr"
    " sfr.fr seznam.cz wp.pl o2.pl onet.pl interia.pl comcast.net bigpond.com btinternet.com bol.com.br uol.com.br"
    " terra.com.br rediffmail.com fastmail.com hey.com yahoo.co.jp"
)
_PUBLIC: Final = frozenset(_NAMES.split())


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """One record as it was last found; ``found`` is the first text that stands there."""

    purpose: RecordPurpose
    name: str
    status: RecordStatus
    is_required: bool
    found: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class BulkFacts:
    """All that is known of an account before it sends ``volume`` messages within a day.

    ``domain`` is the one that signs, empty without; ``is_carried`` when a provider's API carries the mail under
    signatures of its own; ``is_far_in_clear`` when it would go to another machine without TLS.
    """

    from_email: str
    volume: int
    domain: str = ""
    is_signed: bool = False
    is_carried: bool = False
    is_far_in_clear: bool = False
    is_return_path_own: bool = False
    records: tuple[SeenRecord, ...] = ()
    checked_at: datetime | None = None
    public_url: str = ""
    sent: int = 0
    complained: int = 0

    @property
    def from_domain(self) -> str:
        """The domain of the From field."""
        return self.from_email.rpartition("@")[2].lower()

    @property
    def is_strict(self) -> bool:
        """Whether the providers count this as bulk."""
        return self.volume >= STRICT_FROM

    def of(self, *purposes: RecordPurpose) -> list[SeenRecord]:
        """Return the records for ``purposes``."""
        return [one for one in self.records if one.purpose in purposes]


def judge_bulk(facts: BulkFacts, *, now: datetime) -> list[Finding]:
    """Return what keeps ``facts`` from passing, what blocks first."""
    found = [finding for rule in _RULES for finding in rule(facts, now)]
    return sorted(found, key=lambda finding: not finding.is_blocking)


def is_public_mailbox(address: str) -> bool:
    """Whether an address is one of a public mailbox provider, which alone may send in its name."""
    domain = address.rpartition("@")[2].lower()
    return domain in _PUBLIC or destination_of(address) != Destination.OTHER


def _check_from(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if is_public_mailbox(facts.from_email):
        yield Finding(
            "public_mailbox",
            True,
            f"The mail says it is from {facts.from_domain}, which only that provider may send.",
            "Send from an address of a domain of your own.",
        )


def _check_domain(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    """Say that nothing is known of the domain, instead of each thing that is not known."""
    if not facts.domain:
        what = f"Nothing is known of {facts.from_domain}: it is not among your domains."
        yield Finding("no_domain", _is_grave(facts), what, "Add the domain, publish its records, and choose it here.")
    elif facts.checked_at is None:
        what = f"The records of {facts.domain} have not been looked up yet."
        yield Finding("not_checked", facts.is_strict, what, "Wait a minute, or press “Check now” on its page.")
    elif now - facts.checked_at > STALE_AFTER:
        what = f"The records of {facts.domain} were last looked up on {facts.checked_at:%d %B}."
        yield Finding("stale_check", False, what, "See that a worker is running, then press “Check now” on its page.")


def _check_signature(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if facts.is_carried or not facts.domain:
        return
    if not facts.is_signed:
        what = "The mail carries no DKIM signature."
        yield Finding("not_signed", _is_grave(facts), what, f"Switch signing on for {facts.domain}.")
        return
    yield from _check_records(facts, facts.of(RecordPurpose.DKIM), "dkim", "DKIM signature")


def _check_spf(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    """SPF counts for the return path (RFC 7208, section 2.4): the domain's own, else the installation's."""
    if facts.is_carried or not facts.domain:
        return
    yield from _check_records(facts, facts.of(RecordPurpose.SPF), "spf", "SPF record")
    purpose = RecordPurpose.RETURN_SPF if facts.is_return_path_own else RecordPurpose.OUTLET
    own_way_out = " Or set up this domain's own return path." if purpose is RecordPurpose.OUTLET else ""
    for finding in _check_records(facts, facts.of(purpose), "return_spf", "SPF record of the return path", True):
        yield Finding(finding.code, finding.is_blocking, finding.what, finding.how + own_way_out)


def _check_dmarc(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    yield from _check_records(facts, facts.of(RecordPurpose.DMARC), "dmarc", "DMARC record")


def _check_alignment(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    """DMARC needs one of SPF and DKIM to pass in the name of the From field (RFC 9989, section 4.4)."""
    if facts.is_carried or not facts.domain:
        return
    texts = (read_policy(facts.from_domain, one.found) for one in facts.of(RecordPurpose.DMARC))
    policy = next((one for one in texts if one), None)
    is_dkim = facts.is_signed and _stands_for(facts, is_strict=bool(policy and policy.is_strict_dkim))
    # The return path is never the From's own domain but one below it: strict alignment cannot hold.
    is_spf = facts.is_return_path_own and not (policy and policy.is_strict_spf) and _stands_for(facts, is_strict=False)
    if not (is_dkim or is_spf):
        what = f"Neither DKIM nor SPF speaks for {facts.from_domain}, so DMARC fails."
        yield Finding("not_aligned", _is_grave(facts), what, f"Sign for {facts.from_domain} itself.")


def _stands_for(facts: BulkFacts, *, is_strict: bool) -> bool:
    author, other = facts.from_domain, facts.domain.lower()
    if is_strict or author == other:
        return author == other
    return author.endswith(f".{other}") or other.endswith(f".{author}")


def _check_server(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if facts.is_carried:
        return
    if facts.is_far_in_clear:
        what = "The mail goes to its server in the clear."
        yield Finding("no_tls", False, what, "Switch on STARTTLS or TLS for the account.")
    yield from _check_records(facts, facts.of(RecordPurpose.PTR), "ptr", "name of the sending server", True)


def _check_answers(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    for one in facts.of(RecordPurpose.MX):
        if one.status in (RecordStatus.MISSING, RecordStatus.WRONG):
            what = f"{facts.domain} takes no mail, so nobody can answer."
            yield Finding("no_mx", False, what, "Give the domain an MX record of your mail server.")


def _check_way_out(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if not facts.public_url.startswith("https://"):
        what = "The links to unsubscribe begin with http://, and one click must work over https (RFC 8058)."
        yield Finding("unsubscribe_in_clear", facts.is_strict, what, "Set POSTROOM_PUBLIC_URL to an https address.")


def _check_complaints(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if facts.sent < FEWEST_JUDGED or facts.complained < COMPLAINTS_TOLD * facts.sent:
        return
    is_refused = facts.complained >= COMPLAINTS_REFUSED * facts.sent
    what = (
        f"{facts.complained:,} of {facts.sent:,} messages in 30 days were reported as spam:"
        f" {100 * facts.complained / facts.sent:.2f} %, where Gmail and Yahoo refuse mail from 0.3 % on."
    )
    how = "Write only to people who asked for it, and to fewer of those who have not opened for long."
    yield Finding("complaints", is_refused and facts.is_strict, what, how)


def _check_provider(facts: BulkFacts, now: datetime) -> Iterator[Finding]:
    if facts.is_carried and facts.is_strict:
        what = "The provider signs this mail; whether it signs for your domain is not seen from here."
        yield Finding("provider_signs", False, what, f"See that {facts.from_domain} is verified at the provider.")


def _check_records(
    facts: BulkFacts, records: Iterable[SeenRecord], code: str, what: str, is_needed: bool = False
) -> Iterator[Finding]:
    for one in records:
        if (one.is_required or is_needed) and one.status in _FAULTS and facts.checked_at is not None:
            said = f"The {what} {_FAULTS[one.status]} ({one.name})."
            how = one.note or f"Publish it as the page of {facts.domain} shows it."
            yield Finding(f"{code}_{one.status.value}", _is_grave(facts), said, how)


def _is_grave(facts: BulkFacts) -> bool:
    """Whether one lack is enough: for bulk mail, and for mail that neither SPF nor DKIM vouches for (Gmail asks for one
    of them of everybody).
    """
    dkim = [one.status for one in facts.of(RecordPurpose.DKIM) if one.is_required]
    is_signed = facts.is_signed and bool(dkim) and all(status is RecordStatus.OK for status in dkim)
    spf = [one.status for one in facts.of(RecordPurpose.RETURN_SPF, RecordPurpose.OUTLET)]
    vouched = is_signed or RecordStatus.OK in spf or facts.is_carried
    return facts.is_strict or (facts.checked_at is not None and not vouched)


_FAULTS: Final = {
    RecordStatus.MISSING: "is missing",
    RecordStatus.WRONG: "is wrong",
    RecordStatus.SEVERAL: "is there more than once",
}
_RULES: Final[tuple[Callable[[BulkFacts, datetime], Iterator[Finding]], ...]] = (
    *(_check_from, _check_domain, _check_signature, _check_spf, _check_dmarc, _check_alignment, _check_server),
    *(_check_answers, _check_way_out, _check_complaints, _check_provider),
)
