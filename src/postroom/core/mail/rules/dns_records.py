"""The DNS records of a sending domain: which its owner publishes, and what to think of what is found there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from postroom.core.mail.ports import NameSystem
from postroom.core.mail.rules import spf
from postroom.core.mail.rules.dkim import dns_record
from postroom.core.mail.rules.dmarc import effective_policy, walk_tree
from postroom.core.mail.types import (
    DnsAnswer,
    DnsOutcome,
    DnsRecord,
    KeyAlgorithm,
    KeyState,
    Outlet,
    RecordFinding,
    RecordPurpose,
    RecordStatus,
)

RETURN_LABEL: Final = "bounces"
TRACKING_LABEL: Final = "links"

_UNANSWERED: Final = RecordFinding(RecordStatus.UNKNOWN, note="Nobody answered. It is looked up again soon.")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A DKIM key as the name system shows it; ``is_signing`` when mail carries its signatures now."""

    selector: str
    algorithm: KeyAlgorithm
    state: KeyState
    public: str
    is_signing: bool


@dataclass(frozen=True, slots=True)
class Installation:
    """What this installation is called: the domain its return paths are of, the host that takes their mail, the host
    links lead to, and the addresses its mail leaves from, when they are known.
    """

    inbound_domain: str
    mail_host: str
    web_host: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainPlan:
    """All that decides which records a domain needs. ``needs_spf`` is False when all its mail leaves under others'
    return paths.
    """

    name: str
    keys: tuple[PublishedKey, ...]
    outlets: tuple[Outlet, ...]
    installation: Installation
    needs_spf: bool = True


def return_host(domain: str) -> str:
    """Return the host that a domain's own return path is of."""
    return f"{RETURN_LABEL}.{domain}"


def tracking_host(domain: str) -> str:
    """Return the host that a domain's own links lead to."""
    return f"{TRACKING_LABEL}.{domain}"


def dkim_name(selector: str, domain: str) -> str:
    """Return where a key is published (RFC 6376, section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def list_records(plan: DomainPlan) -> list[DnsRecord]:
    """Return what the domain's owner publishes, in the order to do it; then what the installation itself needs."""
    spf_text = _spf_text(plan.outlets)
    inside = plan.installation
    back, links = return_host(plan.name), tracking_host(plan.name)
    records = [
        *(_key_record(plan.name, key) for key in plan.keys),
        DnsRecord("TXT", f"_dmarc.{plan.name}", "v=DMARC1; p=none", RecordPurpose.DMARC, why=_WHY_DMARC),
        DnsRecord("TXT", plan.name, spf_text, RecordPurpose.SPF, is_required=plan.needs_spf, why=_WHY_SPF),
        DnsRecord("MX", back, f"10 {inside.mail_host}", RecordPurpose.RETURN_MX, is_required=False, why=_WHY_RETURN),
        DnsRecord("TXT", back, spf_text, RecordPurpose.RETURN_SPF, is_required=False, why=_WHY_RETURN),
        DnsRecord("CNAME", links, inside.web_host, RecordPurpose.TRACKING, is_required=False, why=_WHY_TRACKING),
        DnsRecord("MX", plan.name, "your own mail server", RecordPurpose.MX, is_required=False, why=_WHY_MX),
        DnsRecord("TXT", inside.inbound_domain, spf_text, RecordPurpose.OUTLET, is_required=False, why=_WHY_OUTLET),
    ]
    pointers = [
        DnsRecord("PTR", ip_address(one).reverse_pointer, "a name that leads back", RecordPurpose.PTR, False, _WHY_PTR)
        for one in inside.addresses
    ]
    return records + pointers


def judge_record(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    """Look one record up and say what is wrong with what stands there."""
    return _JUDGES[record.purpose](record, plan, names)


_WHY_SPF: Final = "Says which servers may send in this domain's name."
_WHY_DMARC: Final = "Says what receivers do with mail in this domain's name that is not from you."
_WHY_RETURN: Final = "Lets bounces come back under your own name, which also makes SPF count for DMARC."
_WHY_TRACKING: Final = "Lets the links in your mail begin with your own name."
_WHY_MX: Final = "Receivers distrust mail from a domain that cannot be answered."
_WHY_OUTLET: Final = "Covers mail whose bounces come back under this installation's name."
_WHY_PTR: Final = "Receivers refuse a server whose address has no name."
_KEY_WHYS: Final = {
    KeyState.PENDING: "Signs once it is seen.",
    KeyState.ACTIVE: "Lets receivers see that mail is yours and was not changed.",
    KeyState.RETIRED: "Signs nothing new any more.",
}


def _key_record(domain: str, key: PublishedKey) -> DnsRecord:
    is_spare = key.state is KeyState.ACTIVE and not key.is_signing
    why = "A second kind of key. Publish it before you switch its signatures on." if is_spare else _KEY_WHYS[key.state]
    return DnsRecord(
        "TXT",
        dkim_name(key.selector, domain),
        dns_record(key.public),
        RecordPurpose.DKIM,
        is_required=key.state is KeyState.ACTIVE and key.is_signing,
        why=why,
        key_state=key.state,
    )


def _spf_text(outlets: Sequence[Outlet]) -> str:
    terms = list(dict.fromkeys(term for outlet in outlets for term in outlet.terms))
    return " ".join(("v=spf1", *terms, "~all" if terms else "?all"))


def _judge_dkim(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    answer = names.look_up(record.name, "TXT")
    if (early := _without_values(answer)) is not None:
        return early
    texts = [tags for text in answer.values if "p" in (tags := _tags(text))]
    if len(texts) > 1:
        return RecordFinding(RecordStatus.SEVERAL, answer.values, "There are several keys at one name: keep one.")
    wanted = _tags(record.value)
    if fault := _key_fault(texts[0], wanted) if texts else "What stands there is no DKIM key.":
        return RecordFinding(RecordStatus.WRONG, answer.values, fault)
    is_test = "y" in texts[0].get("t", "").split(":")
    note = "It says t=y (a test), which some receivers take for no signature." if is_test else ""
    return RecordFinding(RecordStatus.OK, answer.values, note)


def _key_fault(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    if not found["p"]:
        return "The key there is revoked: its p= is empty."
    if found["p"] != wanted["p"]:
        is_cut = wanted["p"].startswith(found["p"])
        return "The key there is cut off: the value has to be whole." if is_cut else "Another key stands there."
    return "" if found.get("k", "rsa") == wanted["k"] else f"The kind of key is missing: k={wanted['k']}."


def _judge_dmarc(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    walk = walk_tree(plan.name, names)
    own = names.look_up(record.name, "TXT").values
    if plan.name in walk.several_at:
        return RecordFinding(RecordStatus.SEVERAL, own, "Of several DMARC records receivers use none: keep one.")
    if plan.name in walk.broken_at:
        return RecordFinding(RecordStatus.WRONG, own, "It must begin with v=DMARC1, spelled so, and say p=.")
    if walk.policy is None:
        return RecordFinding(RecordStatus.MISSING) if walk.is_complete else _UNANSWERED
    if walk.policy.domain == plan.name:
        note = "Receivers only watch (p=none). Ask for quarantine once all your mail passes."
        return RecordFinding(RecordStatus.OK, own, note if effective_policy(walk) == "none" else "")
    return RecordFinding(RecordStatus.OK, note=f"The record of {walk.policy.domain} covers this domain.")


def _judge_spf(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    try:
        found = tuple(spf.find_records(record.name, names))
        if not found:
            return RecordFinding(RecordStatus.MISSING)
        if len(found) > 1:
            note = "Of several SPF records receivers use none: merge them into one."
            return RecordFinding(RecordStatus.SEVERAL, found, note)
        tree = spf.walk_record(record.name, names)
    except spf.SpfError as error:
        return _UNANSWERED if error.is_temporary else RecordFinding(RecordStatus.WRONG, found, str(error))
    if tree.lookups > spf.MAX_LOOKUPS:
        note = f"It takes {tree.lookups} look-ups, and receivers give up after {spf.MAX_LOOKUPS}: include fewer."
        return RecordFinding(RecordStatus.WRONG, found, note)
    if tree.allows_all:
        return RecordFinding(RecordStatus.WRONG, found, "It lets everybody send in your name: end it with ~all.")
    return _judge_outlets(record.name, found, tree, plan, names)


def _judge_outlets(
    domain: str, found: tuple[str, ...], tree: spf.SpfTree, plan: DomainPlan, names: NameSystem
) -> RecordFinding:
    """Say which of our ways out the record forgets; one that may lead elsewhere is only mentioned."""
    lacking = [outlet for outlet in plan.outlets if not _allows(outlet, domain, tree, names)]
    terms = tuple(term for outlet in lacking for term in outlet.terms if term not in found[0].split())
    if any(outlet.is_certain for outlet in lacking):
        note = f"It does not allow what carries your mail. Make it: {_merged(found[0], terms)}"
        return RecordFinding(RecordStatus.WRONG, found, note)
    if lacking:
        hosts = ", ".join(host for outlet in lacking for host in (*outlet.hosts, *outlet.addresses))
        return RecordFinding(RecordStatus.OK, found, f"It does not name {hosts}. Make sure it allows what that sends.")
    return RecordFinding(RecordStatus.OK, found)


def _allows(outlet: Outlet, domain: str, tree: spf.SpfTree, names: NameSystem) -> bool:
    includes = [term.removeprefix("include:") for term in outlet.terms if term.startswith("include:")]
    if includes:
        return tree.domains.issuperset(includes)
    addresses = (*outlet.addresses, *(value for host in outlet.hosts for value in _addresses_of(host, names)))
    return bool(addresses) and all(spf.evaluate(one, domain, names) is spf.SpfResult.PASS for one in addresses)


def _merged(record: str, terms: Sequence[str]) -> str:
    words = record.split()
    end = next((at for at, word in enumerate(words) if word.lower().endswith("all") or "redirect=" in word), len(words))
    return " ".join((*words[:end], *terms, *words[end:]))


def _judge_return_mx(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    answer = names.look_up(record.name, "MX")
    if (early := _without_values(answer)) is not None:
        return early
    hosts = {value.split(" ")[-1].lower() for value in answer.values}
    if hosts == {plan.installation.mail_host.lower()}:
        return RecordFinding(RecordStatus.OK, answer.values)
    note = f"Bounces must come to {plan.installation.mail_host} and to nobody else."
    return RecordFinding(RecordStatus.WRONG, answer.values, note)


def _judge_tracking(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    """Take a CNAME to us, or the same addresses: a name at the top of a zone cannot have a CNAME."""
    answer = names.look_up(record.name, "CNAME")
    if record.value.lower() in (value.lower() for value in answer.values):
        return RecordFinding(RecordStatus.OK, answer.values)
    theirs = _addresses_of(record.name, names)
    if theirs and set(theirs) <= set(_addresses_of(record.value, names)):
        return RecordFinding(RecordStatus.OK, theirs)
    found = answer.values or theirs
    if found:
        return RecordFinding(RecordStatus.WRONG, found, f"It leads elsewhere than to {record.value}.")
    return _UNANSWERED if answer.outcome is DnsOutcome.FAILED else RecordFinding(RecordStatus.MISSING)


def _judge_mx(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    answer = names.look_up(record.name, "MX")
    if answer.outcome is DnsOutcome.FAILED:
        return _UNANSWERED
    if any(value.split(" ")[-1] in ("", ".") for value in answer.values):
        return RecordFinding(RecordStatus.WRONG, answer.values, "It says that the domain takes no mail (RFC 7505).")
    if answer.values:
        return RecordFinding(RecordStatus.OK, answer.values)
    addresses = _addresses_of(record.name, names)
    note = "There is no MX record, so mail goes to the address of the domain itself."
    return RecordFinding(RecordStatus.OK, addresses, note) if addresses else RecordFinding(RecordStatus.MISSING)


def _judge_ptr(record: DnsRecord, plan: DomainPlan, names: NameSystem) -> RecordFinding:
    answer = names.look_up(record.name, "PTR")
    if (early := _without_values(answer)) is not None:
        return early
    ours = next(one for one in plan.installation.addresses if ip_address(one).reverse_pointer == record.name)
    if any(ours in _addresses_of(value, names) for value in answer.values):
        return RecordFinding(RecordStatus.OK, answer.values)
    return RecordFinding(RecordStatus.WRONG, answer.values, f"That name does not lead back to {ours}.")


def _without_values(answer: DnsAnswer) -> RecordFinding | None:
    if answer.values:
        return None
    return _UNANSWERED if answer.outcome is DnsOutcome.FAILED else RecordFinding(RecordStatus.MISSING)


def _addresses_of(host: str, names: NameSystem) -> tuple[str, ...]:
    return (*names.look_up(host, "A").values, *names.look_up(host, "AAAA").values)


def _tags(text: str) -> dict[str, str]:
    pairs = (piece.partition("=") for piece in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs if name.strip()}


_JUDGES: Final[dict[RecordPurpose, Callable[[DnsRecord, DomainPlan, NameSystem], RecordFinding]]] = {
    RecordPurpose.SPF: _judge_spf,
    RecordPurpose.DKIM: _judge_dkim,
    RecordPurpose.DMARC: _judge_dmarc,
    RecordPurpose.RETURN_MX: _judge_return_mx,
    RecordPurpose.RETURN_SPF: _judge_spf,
    RecordPurpose.TRACKING: _judge_tracking,
    RecordPurpose.MX: _judge_mx,
    RecordPurpose.OUTLET: _judge_spf,
    RecordPurpose.PTR: _judge_ptr,
}
