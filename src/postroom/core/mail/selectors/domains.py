"""Reads of sending domains: what their owners publish, what was found of it, and the keys that sign."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from postroom.core.mail.errors import NoSuchDomain
from postroom.core.mail.models import DkimKey, Domain, DomainChange, DomainRecord, SenderAccount
from postroom.core.mail.rules.checking import judge_domain
from postroom.core.mail.rules.dns_records import (
    DomainPlan,
    Installation,
    PublishedKey,
    list_records,
    tracking_host,
)
from postroom.core.mail.rules.outlets import API_PROVIDERS, find_outlet
from postroom.core.mail.types import (
    DnsRecord,
    DomainState,
    KeyAlgorithm,
    KeyState,
    Outlet,
    RecordStatus,
    Signing,
    SigningKey,
)
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto

ROTATE_AFTER: Final = timedelta(days=180)
"""How long a key signs before its page suggests the next one."""

_SIGNS: Final = {
    Signing.NONE: frozenset[KeyAlgorithm](),
    Signing.RSA: frozenset({KeyAlgorithm.RSA}),
    Signing.ED25519: frozenset({KeyAlgorithm.ED25519}),
    Signing.BOTH: frozenset(KeyAlgorithm),
}


class RecordState(NamedTuple):
    """A record to publish, and what was last found where it should stand; None before the first look."""

    record: DnsRecord
    seen: DomainRecord | None

    @property
    def status(self) -> RecordStatus:
        """What is there."""
        return RecordStatus(self.seen.status) if self.seen else RecordStatus.UNCHECKED


def get_domain_by_id(*, workspace: Workspace, domain_id: int) -> Domain:
    """Return a domain. Raises NoSuchDomain, also for one of another workspace."""
    found = Domain.objects.filter(workspace=workspace, pk=domain_id).first()
    if found is None:
        raise NoSuchDomain("There is no such domain in this workspace.")
    return found


def get_domain(*, workspace: Workspace, uid: UUID) -> Domain:
    """Return a domain by its uid. Raises NoSuchDomain, also for one of another workspace."""
    found = Domain.objects.filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchDomain("There is no such domain in this workspace.")
    return found


def state_of(*, domain: Domain, now: datetime) -> DomainState:
    """Return where a domain stands."""
    asked_at = max(domain.created_at, domain.verify_wanted_at or domain.created_at)
    return judge_domain(verified_at=domain.verified_at, lost_at=domain.lost_at, asked_at=asked_at, now=now)


def list_domains(*, workspace: Workspace) -> list[Domain]:
    """Return the domains of a workspace by name."""
    return list(Domain.objects.filter(workspace=workspace).order_by("name"))


def dns_records(*, domain: Domain) -> list[DnsRecord]:
    """Return what the domain's owner publishes: keys (RFC 6376), DMARC (RFC 9989), SPF (RFC 7208) and more."""
    return list_records(plan_domain(domain=domain))


def list_record_states(*, domain: Domain) -> list[RecordState]:
    """Return each record of a domain with what was last found of it."""
    return map_record_states(domains=[domain])[domain.pk]


def map_record_states(*, domains: Sequence[Domain]) -> dict[int, list[RecordState]]:
    """Return the same for several domains of one workspace, by number; as few statements as for one."""
    rows = DomainRecord.objects.filter(domain__in=[domain.pk for domain in domains])
    seen = {(row.domain_id, row.purpose, row.name): row for row in rows}
    return {
        number: [RecordState(one, seen.get((number, one.purpose, one.name))) for one in list_records(plan)]
        for number, plan in plan_domains(domains=domains).items()
    }


def list_domain_changes(*, domain: Domain, limit: int = 20) -> list[DomainChange]:
    """Return how the records of a domain turned, latest first."""
    return list(DomainChange.objects.filter(domain=domain).order_by("-id")[:limit])


def list_domain_senders(*, domain: Domain) -> list[SenderAccount]:
    """Return the accounts that sign for a domain, by name."""
    return list(SenderAccount.objects.filter(domain=domain).order_by("name", "id"))


def list_keys(*, domain: Domain) -> list[DkimKey]:
    """Return the keys of a domain: those that sign, those to come, those that were; RSA before Ed25519."""
    return _in_order(DkimKey.objects.filter(domain=domain))


def _in_order(keys: Iterable[DkimKey]) -> list[DkimKey]:
    order = {KeyState.ACTIVE: 0, KeyState.PENDING: 1, KeyState.RETIRED: 2}
    return sorted(keys, key=lambda key: (order[KeyState(key.state)], -key.pk if key.state == "retired" else key.pk))


def load_signing_keys(*, domain: Domain) -> tuple[SigningKey, ...]:
    """Return the keys that sign now, opened; for the sender process alone."""
    keys = DkimKey.objects.filter(domain=domain, state=KeyState.ACTIVE, algorithm__in=signed_with(domain))
    opened = (SigningKey(key.selector, KeyAlgorithm(key.algorithm), crypto.decrypt(key.private)) for key in keys)
    return tuple(sorted(opened, key=lambda key: key.algorithm, reverse=True))


def signed_with(domain: Domain) -> frozenset[KeyAlgorithm]:
    """Return the kinds of signatures a domain's mail carries."""
    return _SIGNS[Signing(domain.signing)]


def plan_domain(*, domain: Domain) -> DomainPlan:
    """Return all that decides which records a domain needs."""
    return plan_domains(domains=[domain])[domain.pk]


def plan_domains(*, domains: Sequence[Domain]) -> dict[int, DomainPlan]:
    """Return the same for several domains of one workspace, by number; as few statements as for one."""
    servers = _map_servers(domains)
    keys: dict[int, list[DkimKey]] = {domain.pk: [] for domain in domains}
    for key in DkimKey.objects.filter(domain__in=keys):
        keys[key.domain_id].append(key)
    installation = describe_installation()
    return {
        domain.pk: DomainPlan(
            name=domain.name,
            keys=tuple(_publish(key, domain) for key in _in_order(keys[domain.pk])),
            outlets=find_outlets(servers[domain.pk]),
            installation=installation,
            needs_spf=not servers[domain.pk] or any(one.provider not in API_PROVIDERS for one in servers[domain.pk]),
        )
        for domain in domains
    }


def _map_servers(domains: Sequence[Domain]) -> dict[int, list[SenderAccount]]:
    """Return over whose servers the mail of each domain leaves: the accounts that sign for it, their carriers, or,
    while nobody signs for it yet, the one that carries the mail of every domain.
    """
    own: dict[int, dict[int, SenderAccount]] = {domain.pk: {} for domain in domains}
    rows = SenderAccount.objects.select_related("carrier").filter(domain__in=own, is_active=True)
    for one in rows.order_by("name", "id"):
        server = one.carrier or one
        own[one.domain_id or 0][server.pk] = server
    relays = SenderAccount.objects.filter(
        workspace__in={domain.workspace_id for domain in domains}, is_relay=True, is_active=True
    )
    by_workspace = {one.workspace_id: one for one in relays} if not all(own.values()) else {}
    lent = {domain.pk: by_workspace.get(domain.workspace_id) for domain in domains}
    return {number: list(found.values()) or [one for one in (lent[number],) if one] for number, found in own.items()}


def find_outlets(senders: Sequence[SenderAccount]) -> tuple[Outlet, ...]:
    """Return where the mail of some accounts leaves, each way once."""
    found = (
        find_outlet(
            provider=one.provider, host=str(one.config.get("host", "")), addresses=tuple(settings.SENDING_ADDRESSES)
        )
        for one in senders
    )
    return tuple(dict.fromkeys(outlet for outlet in found if outlet is not None))


def describe_installation() -> Installation:
    """Return what this installation is called in the name system."""
    return Installation(
        inbound_domain=settings.INBOUND_DOMAIN,
        mail_host=settings.MAIL_HOST,
        web_host=urlsplit(settings.PUBLIC_URL).hostname or "localhost",
        addresses=tuple(settings.SENDING_ADDRESSES),
    )


def tracking_url(domain: str) -> str:
    """Return what links of a domain's mail begin with, once they lead here."""
    parts = urlsplit(settings.PUBLIC_URL)
    return parts._replace(netloc=parts.netloc.replace(parts.hostname or "", tracking_host(domain), 1)).geturl()


def rotation_due_at(keys: Sequence[DkimKey]) -> datetime | None:
    """Return when the next keys are due; None while they are on their way, or nothing signs."""
    if any(key.state == KeyState.PENDING for key in keys):
        return None
    since = [key.activated_at for key in keys if key.state == KeyState.ACTIVE and key.activated_at]
    return min(since) + ROTATE_AFTER if since else None


def _publish(key: DkimKey, domain: Domain) -> PublishedKey:
    algorithm = KeyAlgorithm(key.algorithm)
    is_signing = algorithm in signed_with(domain)
    return PublishedKey(key.selector, algorithm, KeyState(key.state), key.public, is_signing)
