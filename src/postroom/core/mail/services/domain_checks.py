"""Looking a domain's records up and noting what is there; new keys take over when theirs are."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from postroom.core.events import services as events
from postroom.core.mail import jobs
from postroom.core.mail.models import DkimKey, Domain, DomainChange, DomainRecord
from postroom.core.mail.ports import NameSystem
from postroom.core.mail.rules.checking import KEPT_AFTER_RETIREMENT, next_check, passes, settle
from postroom.core.mail.rules.dns_records import dkim_name, judge_record, list_records
from postroom.core.mail.selectors.domains import plan_domain, signed_with, tracking_url
from postroom.core.mail.services.telling import tell_domain
from postroom.core.mail.types import DnsRecord, KeyAlgorithm, KeyState, RecordFinding, RecordPurpose, RecordStatus
from postroom.core.workspaces.types import SYSTEM, AuditRecord

CHANGES_KEPT: Final = 200
_LOOKING: Final = timedelta(minutes=5)

Findings = Sequence[tuple[DnsRecord, RecordFinding]]
Results = Sequence[tuple[DnsRecord, RecordStatus]]


def defer_due_checks(*, now: datetime, limit: int = 50) -> int:
    """Have the domains looked up whose time has come; return how many. Safe in several workers at once."""
    with transaction.atomic():
        due = Domain.objects.select_for_update(skip_locked=True).filter(next_check_at__lte=now)
        found = list(due.order_by("next_check_at")[:limit])
        for domain in found:
            domain.next_check_at = now + _LOOKING  # a look that dies is made again
            domain.save(update_fields=["next_check_at"])
            jobs.defer_check_domain(domain.pk)
    return len(found)


def check_domain(*, domain_id: int, names: NameSystem, find_link_fault: Callable[[str], str], now: datetime) -> None:
    """Look up every record of a domain, then note what was found; a domain deleted meanwhile is left alone.

    ``find_link_fault`` says why links that begin with a URL would not work: a name may lead here without a certificate.
    """
    domain = Domain.objects.filter(pk=domain_id).first()
    if domain is None:
        return
    plan = plan_domain(domain=domain)
    findings = [(record, judge_record(record, plan, names)) for record in list_records(plan)]
    _note_findings(domain_id, [_with_links(one, domain.name, find_link_fault) for one in findings], now)


def _with_links(
    one: tuple[DnsRecord, RecordFinding], name: str, find_link_fault: Callable[[str], str]
) -> tuple[DnsRecord, RecordFinding]:
    record, finding = one
    if record.purpose is not RecordPurpose.TRACKING or finding.status is not RecordStatus.OK:
        return one
    fault = find_link_fault(tracking_url(name))
    note = f"The name leads here, yet links would not work: {fault} Your TLS proxy needs a certificate for it."
    return (record, RecordFinding(RecordStatus.WRONG, finding.found, note)) if fault else one


@transaction.atomic
def _note_findings(domain_id: int, findings: Findings, now: datetime) -> None:
    domain = Domain.objects.select_for_update().select_related("workspace").filter(pk=domain_id).first()
    if domain is None:
        return
    results = _store(domain, findings, now)
    is_settled = _promote_keys(domain, results, now)
    _mark_verified(domain, results, now)
    if domain.verified_at is not None:
        domain.verify_wanted_at = None
    domain.return_verified_at = _since(
        domain.return_verified_at, passes(results, RecordPurpose.RETURN_MX, RecordPurpose.RETURN_SPF), now
    )
    domain.tracking_verified_at = _since(domain.tracking_verified_at, passes(results, RecordPurpose.TRACKING), now)
    domain.checked_at = now
    is_settled &= domain.verified_at is not None
    domain.next_check_at = next_check(changed_at=_changed_at(domain), is_settled=is_settled, now=now)
    domain.save()


def _store(domain: Domain, findings: Findings, now: datetime) -> Results:
    """Write what was found, and what turned; return the state of each record."""
    known = {(row.purpose, row.name): row for row in DomainRecord.objects.filter(domain=domain)}
    results, changes = [], []
    for record, finding in findings:
        row = known.pop((record.purpose, record.name), None)
        before = RecordStatus(row.status) if row else None
        status = settle(finding, before)
        if before is not None and status is not before:
            change = DomainChange(domain=domain, purpose=record.purpose, name=record.name, at=now)
            change.before, change.after, change.note = before, status, finding.note[:1000]
            changes.append(change)
        row = row or DomainRecord(domain=domain, purpose=record.purpose, name=record.name)
        _write(row, finding, status, now)
        results.append((record, status))
    DomainRecord.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    DomainChange.objects.bulk_create(changes)
    if changes:
        _forget_old_changes(domain)
    return results


def _write(row: DomainRecord, finding: RecordFinding, status: RecordStatus, now: datetime) -> None:
    if row.status != status:
        row.changed_at = now
    if finding.status is not RecordStatus.UNKNOWN or row.pk is None:
        row.found = [value[:1000] for value in finding.found[:10]]
    row.status, row.note, row.checked_at = status, finding.note[:1000], now
    row.save()


def _forget_old_changes(domain: Domain) -> None:
    last = DomainChange.objects.filter(domain=domain).order_by("-id").values_list("id", flat=True)
    oldest = next(iter(last[CHANGES_KEPT - 1 : CHANGES_KEPT]), None)
    if oldest is not None:
        DomainChange.objects.filter(domain=domain, pk__lt=oldest).delete()


def _promote_keys(domain: Domain, results: Results, now: datetime) -> bool:
    """Let keys sign whose records are there, retire those they follow; return whether none is left waiting."""
    seen = {record.name for record, status in results if _is_good_key(record, status)}
    keys = list(DkimKey.objects.filter(domain=domain))
    DkimKey.objects.filter(pk__in=[key.pk for key in keys if not key.seen_at and _name(key, domain) in seen]).update(
        seen_at=now
    )
    gone = [key.pk for key in keys if key.retired_at is not None and now - key.retired_at > KEPT_AFTER_RETIREMENT]
    DkimKey.objects.filter(pk__in=gone).delete()
    waiting = [key for key in keys if key.state == KeyState.PENDING]
    needed = [key for key in waiting if KeyAlgorithm(key.algorithm) in signed_with(domain)] or waiting
    if not waiting:
        return True
    if not all(_name(key, domain) in seen for key in needed):
        return False
    DkimKey.objects.filter(domain=domain, state=KeyState.ACTIVE).update(
        state=KeyState.RETIRED, retired_at=now, private=""
    )
    DkimKey.objects.filter(pk__in=[key.pk for key in waiting]).update(state=KeyState.ACTIVE, activated_at=now)
    selectors = [key.selector for key in waiting]
    act = AuditRecord("domain.keys_changed", "domain", domain.pk, after={"selectors": list(selectors)})
    events.record_act(workspace=domain.workspace, actor=SYSTEM, act=act, now=now)
    return True


def _is_good_key(record: DnsRecord, status: RecordStatus) -> bool:
    return record.purpose is RecordPurpose.DKIM and status is RecordStatus.OK


def _name(key: DkimKey, domain: Domain) -> str:
    return dkim_name(key.selector, domain.name)


def _mark_verified(domain: Domain, results: Results, now: datetime) -> None:
    is_good = passes(results)
    if is_good is (domain.verified_at is not None):
        return
    domain.verified_at, domain.lost_at = (now, None) if is_good else (None, now)
    domain.updated_at = now
    lacking: Mapping[str, str] = {
        record.name: status.value for record, status in results if record.is_required and status is not RecordStatus.OK
    }
    name = "mail.domain_verified" if is_good else "mail.domain_unverified"
    act = AuditRecord(name, "domain", domain.pk, after={"name": domain.name, "lacking": dict(lacking)})
    events.record_act(workspace=domain.workspace, actor=SYSTEM, act=act, now=now, data={"name": domain.name})
    tell_domain(domain=domain, type="domain.verified" if is_good else "domain.updated", now=now)


def _since(since: datetime | None, is_good: bool, now: datetime) -> datetime | None:
    return (since or now) if is_good else None


def _changed_at(domain: Domain) -> datetime:
    newest = DkimKey.objects.filter(domain=domain).order_by("-created_at").first()
    asked = (domain.created_at, domain.verify_wanted_at, newest.created_at if newest else None)
    return max(at for at in asked if at is not None)
