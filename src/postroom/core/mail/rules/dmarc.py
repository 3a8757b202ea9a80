"""What a domain asks of receivers (DMARC, RFC 9989): its record, found by walking up the tree, and what is aligned."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from postroom.core.mail.ports import NameSystem
from postroom.core.mail.types import DnsOutcome

POLICIES: Final = ("none", "quarantine", "reject")
MAX_LABELS: Final = 8
"""A name of this many labels or more is walked from its last seven up (section 4.10)."""

_TAG: Final = re.compile(r"\s*([A-Za-z]+)\s*=\s*([^;]*?)\s*\Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """A DMARC record at ``domain``. ``psd`` is y, n or u (unsaid); ``is_testing`` asks for one step less than said."""

    domain: str
    policy: str = "none"
    subdomain_policy: str = ""
    missing_policy: str = ""
    psd: str = "u"
    is_strict_dkim: bool = False
    is_strict_spf: bool = False
    is_testing: bool = False
    reports_to: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk up the tree found: the records, lowest first, and names whose records cancel each other out.

    ``is_complete`` is False when somebody did not answer, so that a record may be hidden.
    """

    start: str
    policies: tuple[Policy, ...] = ()
    several_at: tuple[str, ...] = ()
    broken_at: tuple[str, ...] = ()
    is_complete: bool = True

    @property
    def organization(self) -> str:
        """The organizational domain of the start (section 4.10.2)."""
        for policy in self.policies:
            if policy.psd == "n":
                return policy.domain
            if policy.psd == "y" and policy.domain != self.start:
                labels = self.start.split(".")
                return ".".join(labels[-policy.domain.count(".") - 2 :])
        return self.policies[-1].domain if self.policies else self.start

    @property
    def policy(self) -> Policy | None:
        """The record that counts for the start: its own, else its organization's, else the public suffix's."""
        by_domain = {policy.domain: policy for policy in self.policies}
        own = by_domain.get(self.start) or by_domain.get(self.organization)
        return own or next((policy for policy in self.policies if policy.psd == "y"), None)


def read_policy(domain: str, text: str) -> Policy | None:
    """Return a record's meaning, or None for a text that is no DMARC record; unknown tags are passed over.

    Tags of the former standard (pct, rf, ri) are unknown to this one.
    """
    pieces = text.split(";")
    if not re.match(r"\s*v\s*=\s*DMARC1\s*\Z", pieces[0]):
        return None
    tags: dict[str, str] = {}
    for piece in pieces[1:]:
        if match := _TAG.match(piece):
            tags.setdefault(match[1].lower(), match[2])
    if any(tags[name].lower() not in POLICIES for name in ("p", "sp", "np") if name in tags):
        # Section 4.7: with an address for reports such a record asks for nothing, without one it is none at all.
        if not tags.get("rua", "").lower().startswith("mailto:"):
            return None
        for name in ("p", "sp", "np"):
            tags.pop(name, None)
    return Policy(
        domain,
        policy=tags.get("p", "none").lower(),
        subdomain_policy=_one_of(tags, "sp", POLICIES),
        missing_policy=_one_of(tags, "np", POLICIES),
        psd=_one_of(tags, "psd", ("y", "n")) or "u",
        is_strict_dkim=tags.get("adkim", "").lower() == "s",
        is_strict_spf=tags.get("aspf", "").lower() == "s",
        is_testing=tags.get("t", "").lower() == "y",
        reports_to=tags.get("rua", ""),
    )


def walk_tree(domain: str, names: NameSystem) -> Walk:
    """Walk from ``domain`` up to the root, as RFC 9989, section 4.10 does; at most eight questions."""
    policies: list[Policy] = []
    several: list[str] = []
    broken: list[str] = []
    is_complete = True
    for target in _targets(domain):
        answer = names.look_up(f"_dmarc.{target}", "TXT")
        is_complete &= answer.outcome is not DnsOutcome.FAILED
        found = [policy for text in answer.values if (policy := read_policy(target, text))]
        if len(found) > 1:
            several.append(target)
        elif found:
            policies.append(found[0])
            if found[0].psd in ("y", "n"):
                break
        elif any("dmarc" in text.lower() for text in answer.values):
            broken.append(target)
    return Walk(domain, tuple(policies), tuple(several), tuple(broken), is_complete)


def is_aligned(author: str, other: str, names: NameSystem, *, is_strict: bool) -> bool:
    """Whether ``other`` (DKIM's d=, SPF's domain) stands for the domain of the From field (section 4.4)."""
    author, other = author.lower(), other.lower()
    if is_strict or author == other:
        return author == other
    return walk_tree(author, names).organization == walk_tree(other, names).organization


def effective_policy(walk: Walk, *, exists: bool = True) -> str:
    """Return what is asked for mail of the walk's start: none, quarantine or reject; empty without a record."""
    found = walk.policy
    if found is None:
        return ""
    asked = found.policy
    if found.domain != walk.start:
        asked = found.subdomain_policy or found.policy
        asked = asked if exists else found.missing_policy or asked
    return POLICIES[max(0, POLICIES.index(asked) - 1)] if found.is_testing else asked


def _targets(domain: str) -> list[str]:
    labels = domain.split(".")
    rest = labels[-(MAX_LABELS - 1) :] if len(labels) >= MAX_LABELS else labels[1:]
    return [domain, *(".".join(rest[start:]) for start in range(len(rest)))]


def _one_of(tags: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    value = tags.get(name, "").lower()
    return value if value in allowed else ""
