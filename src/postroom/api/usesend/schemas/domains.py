"""Bodies of the domain operations."""

from postroom.api.shared.values import Camel, Instant


class DomainCreate(Camel):
    """A domain to send from, and a region, which decides nothing here."""

    name: str
    region: str


class DnsRecord(Camel):
    """One record to publish; its name is relative to the domain that was registered."""

    type: str
    name: str
    value: str
    ttl: str
    priority: str | None = None
    status: str
    recommended: bool = False


class Domain(Camel):
    """A domain with its records and what was found of them."""

    id: int
    name: str
    team_id: int
    status: str
    region: str
    click_tracking: bool
    open_tracking: bool
    public_key: str
    dkim_status: str
    spf_details: str
    created_at: Instant
    updated_at: Instant
    dmarc_added: bool
    is_verifying: bool
    error_message: str | None
    subdomain: str
    verification_error: str | None
    last_checked_time: Instant | None
    dns_records: list[DnsRecord]


class DomainDeleted(Camel):
    """A domain that is gone."""

    id: int
    success: bool
    message: str


class MessageResult(Camel):
    """A sentence on what was done."""

    message: str


class PlainError(Camel):
    """A refusal that is a sentence and nothing else."""

    error: str
