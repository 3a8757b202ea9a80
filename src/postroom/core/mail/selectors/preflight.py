"""What stands in the way of a bulk sending, by what is stored: nothing is looked up while a person waits."""

from datetime import datetime
from ipaddress import ip_address

from django.conf import settings

from postroom.core.mail.models import Domain, SenderAccount
from postroom.core.mail.rules.headers import check_email
from postroom.core.mail.rules.outlets import API_PROVIDERS
from postroom.core.mail.rules.preflight import BulkFacts, SeenRecord, judge_bulk
from postroom.core.mail.selectors.domains import list_record_states, signed_with
from postroom.core.mail.selectors.health import count_sent_today, measure_senders
from postroom.core.mail.types import Finding, Provider
from postroom.core.workspaces.models import Workspace

_HARMLESS = frozenset({Provider.SANDBOX, Provider.ECHO})


def check_bulk(*, workspace: Workspace, sender: SenderAccount, size: int, now: datetime) -> list[Finding]:
    """Return what the large mailbox providers would hold against ``size`` messages of an account, what blocks first.

    Mail that stays in this house needs nothing.
    """
    if sender.provider in _HARMLESS:
        return []
    from_domain = check_email(sender.from_email).rpartition("@")[2]
    written = sender.from_email.rpartition("@")[2]
    alike = SenderAccount.objects.filter(workspace=workspace, from_email__iendswith=f"@{written}")
    sender_ids = list(alike.exclude(provider__in=_HARMLESS).values_list("pk", flat=True))
    past = measure_senders(sender_ids=sender_ids, workspace=workspace, days=30, now=now)
    domain = sender.domain or Domain.objects.filter(workspace=workspace, name=from_domain.lower()).first()
    facts = BulkFacts(
        from_email=check_email(sender.from_email),
        volume=size + count_sent_today(sender_ids=sender_ids, workspace=workspace, now=now),
        domain=domain.name if domain else "",
        is_signed=sender.domain is not None and bool(signed_with(sender.domain)),
        is_carried=sender.provider in API_PROVIDERS,
        is_far_in_clear=_is_far_in_clear(sender),
        is_return_path_own=domain is not None and domain.return_verified_at is not None and sender.domain is not None,
        records=_load_records(domain) if domain else (),
        checked_at=domain.checked_at if domain else None,
        public_url=settings.PUBLIC_URL,
        sent=past.sent,
        complained=past.complained,
    )
    return judge_bulk(facts, now=now)


def _load_records(domain: Domain) -> tuple[SeenRecord, ...]:
    return tuple(
        SeenRecord(
            purpose=record.purpose,
            name=record.name,
            status=state.status,
            is_required=record.is_required,
            found=str(next(iter(state.seen.found), "")) if state.seen else "",
            note=state.seen.note if state.seen else "",
        )
        for state in list_record_states(domain=domain)
        for record in (state.record,)
    )


def _is_far_in_clear(sender: SenderAccount) -> bool:
    if sender.provider != Provider.SMTP or sender.config.get("security", "none") != "none":
        return False
    host = str(sender.config.get("host", ""))
    try:
        return not ip_address(host).is_private
    except ValueError:
        return host != "localhost" and "." in host
