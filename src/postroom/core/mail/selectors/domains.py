"""Reads of sending domains."""

from postroom.core.mail.errors import NoSuchDomain
from postroom.core.mail.models import Domain
from postroom.core.mail.rules.dkim import dns_record
from postroom.core.mail.types import DnsRecord, Signing
from postroom.core.workspaces.models import Workspace


def get_domain_by_id(*, workspace: Workspace, domain_id: int) -> Domain:
    """Return a domain. Raises NoSuchDomain, also for one of another workspace."""
    found = Domain.objects.filter(workspace=workspace, pk=domain_id).first()
    if found is None:
        raise NoSuchDomain("There is no such domain in this workspace.")
    return found


def list_domains(*, workspace: Workspace) -> list[Domain]:
    """Return the domains of a workspace by name."""
    return list(Domain.objects.filter(workspace=workspace).order_by("name"))


def dns_records(*, domain: Domain) -> list[DnsRecord]:
    """Return what the domain's owner publishes: both keys (RFC 6376, RFC 8463) and a DMARC policy (RFC 9989)."""
    records = [DnsRecord("TXT", f"_dmarc.{domain.name}", "v=DMARC1; p=none", "DMARC")]
    if domain.signing in (Signing.RSA, Signing.BOTH):
        records.append(_key_record(domain, domain.selector, domain.rsa_public))
    if domain.signing in (Signing.ED25519, Signing.BOTH):
        records.append(_key_record(domain, f"{domain.selector}-ed", domain.ed25519_public))
    return records


def _key_record(domain: Domain, selector: str, public: str) -> DnsRecord:
    return DnsRecord("TXT", f"{selector}._domainkey.{domain.name}", dns_record(public), "DKIM")
