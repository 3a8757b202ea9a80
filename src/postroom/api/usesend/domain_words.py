"""A sending domain in useSend's words: its states, and those of its records that are to be published."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from postroom.api.usesend.ids import team_id
from postroom.api.usesend.schemas.domains import DnsRecord, Domain
from postroom.core.mail import selectors as mail
from postroom.core.mail.rules.registrable import relative_name, split_domain
from postroom.core.mail.selectors import RecordState
from postroom.core.mail.types import DomainState, KeyState, RecordPurpose, RecordStatus

if TYPE_CHECKING:
    from postroom.core.mail.models import Domain as SendingDomain
    from postroom.core.workspaces.models import Workspace

DEFAULT_REGION: Final = "us-east-1"

STATES: Final = {
    DomainState.PENDING: "PENDING",
    DomainState.VERIFIED: "SUCCESS",
    DomainState.LOST: "TEMPORARY_FAILURE",
    DomainState.FAILED: "FAILED",
}
_RECORD_STATES: Final = {
    RecordStatus.UNCHECKED: "NOT_STARTED",
    RecordStatus.OK: "SUCCESS",
    RecordStatus.MISSING: "PENDING",
    RecordStatus.WRONG: "FAILED",
    RecordStatus.SEVERAL: "FAILED",
    RecordStatus.UNKNOWN: "TEMPORARY_FAILURE",
}
_SHOWN: Final = (
    RecordPurpose.RETURN_MX,
    RecordPurpose.DKIM,
    RecordPurpose.SPF,
    RecordPurpose.RETURN_SPF,
    RecordPurpose.DMARC,
)
"""In useSend's order. Others of ours are of types that it does not know, or are not the owner's to publish."""


def show_domain(
    domain: "SendingDomain", states: Sequence[RecordState], workspace: "Workspace", now: datetime
) -> Domain:
    """Return a domain as the contract has it."""
    state = mail.state_of(domain=domain, now=now)
    registered, subdomain = split_domain(domain.name)
    key = _strictest(list(_of(states, RecordPurpose.DKIM)))
    spf = _strictest([*_of(states, RecordPurpose.SPF), *_of(states, RecordPurpose.RETURN_SPF)])
    return Domain(
        id=domain.pk,
        name=domain.name,
        team_id=team_id(workspace),
        status=STATES[state],
        region=domain.region or DEFAULT_REGION,
        click_tracking=domain.tracks_clicks,
        open_tracking=domain.tracks_opens,
        public_key=key.record.value.partition("p=")[2],
        dkim_status=record_status(key.status, state),
        spf_details=record_status(spf.status, state),
        created_at=domain.created_at,
        updated_at=domain.updated_at or domain.created_at,
        dmarc_added=any(one.status is RecordStatus.OK for one in _of(states, RecordPurpose.DMARC)),
        is_verifying=domain.verify_wanted_at is not None and state is not DomainState.FAILED,
        error_message=None,
        subdomain=subdomain,
        verification_error=_fault(states),
        last_checked_time=domain.checked_at,
        dns_records=[_show_record(one, registered, state) for one in _to_publish(states)],
    )


def record_status(status: RecordStatus, state: DomainState) -> str:
    """Return the word for what was found of a record; one that does not come for days has failed."""
    if status is RecordStatus.MISSING and state is DomainState.FAILED:
        return "FAILED"
    return _RECORD_STATES[status]


def _show_record(one: RecordState, registered: str, state: DomainState) -> DnsRecord:
    is_mx = one.record.type == "MX"
    priority, _, host = one.record.value.partition(" ")
    return DnsRecord(
        type=one.record.type,
        name=relative_name(one.record.name, registered),
        value=host if is_mx else one.record.value,
        ttl="Auto",
        priority=priority if is_mx else None,
        status=record_status(one.status, state),
        recommended=not one.record.is_required,
    )


def _to_publish(states: Iterable[RecordState]) -> list[RecordState]:
    """Return the records that a domain's owner publishes now, in useSend's order."""
    wanted = [one for one in states if one.record.purpose in _SHOWN and not _is_spare(one)]
    return sorted(wanted, key=lambda one: _SHOWN.index(one.record.purpose))


def _is_spare(one: RecordState) -> bool:
    """Whether it shows a key that signs nothing: one of the kind that is not used, or one of the past."""
    is_key = one.record.purpose is RecordPurpose.DKIM
    return is_key and not one.record.is_required and one.record.key_state is not KeyState.PENDING


def _of(states: Iterable[RecordState], purpose: RecordPurpose) -> Iterator[RecordState]:
    return (one for one in states if one.record.purpose is purpose)


def _strictest(states: Sequence[RecordState]) -> RecordState:
    """Return the record that mail needs, or the first where it needs none of them."""
    return next((one for one in states if one.record.is_required), states[0])


def _fault(states: Iterable[RecordState]) -> str | None:
    """Return what keeps a domain from being verified, as far as there is more to say than that a record is missing."""
    lacking = (one for one in states if one.record.is_required and one.status is not RecordStatus.OK)
    return next((f"{one.record.name}: {one.seen.note}" for one in lacking if one.seen and one.seen.note), None)
