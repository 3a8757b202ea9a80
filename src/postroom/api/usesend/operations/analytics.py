"""Analytics: what became of e-mails, day by day and since the beginning."""

from dataclasses import asdict
from typing import Annotated, Final

from ninja import Query, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import FULL_KEY
from postroom.api.usesend.schemas.analytics import Counts, DayCounts, Reputation, TimeSeries
from postroom.api.usesend.schemas.shared import ERRORS
from postroom.api.usesend.schemas.values import one_of
from postroom.core.mail import selectors as mail
from postroom.core.workspaces.services import KeyIdentity
from postroom.kit import clock

router: Final = Router(tags=["Analytics"], by_alias=True, auth=FULL_KEY)

Days = Annotated[str, one_of("7", "30"), Query("30")]
DomainId = Annotated[str | None, Query(None)]

NOBODY: Final = 0


@router.get("/analytics/email-time-series", operation_id="emailTimeSeries", response={200: TimeSeries, **ERRORS})
def email_time_series(request: KeyRequest, days: Days, domainId: DomainId) -> TimeSeries:
    """Count what became of e-mails on each of the last days."""
    found = mail.count_days(
        workspace=request.auth.workspace, days=int(days), now=clock.now(), domain_id=_wanted(request.auth, domainId)
    )
    total = sum((counts for _, counts in found), mail.Counts())
    return TimeSeries(
        result=[DayCounts(date=f"{day:%b %d}", **asdict(counts)) for day, counts in found],
        total_counts=Counts(**asdict(total)),
    )


@router.get("/analytics/reputation-metrics", operation_id="reputationMetrics", response={200: Reputation, **ERRORS})
def reputation_metrics(request: KeyRequest, domainId: DomainId) -> Reputation:
    """Count what came back and what was complained of, since the beginning."""
    counts = mail.count_ever(workspace=request.auth.workspace, domain_id=_wanted(request.auth, domainId))
    return Reputation(
        delivered=counts.delivered,
        hard_bounced=counts.bounced,
        complained=counts.complained,
        bounce_rate=_share(counts.bounced, counts.delivered),
        complaint_rate=_share(counts.complained, counts.delivered),
    )


def _wanted(identity: KeyIdentity, named: str | None) -> int | None:
    """Return the domain that is asked for: a key's own, whatever is named; one that there is not has no mail."""
    domains = mail.map_domains(workspace=identity.workspace) if identity.mail_domain or named is not None else {}
    if identity.mail_domain:
        return domains.get(identity.mail_domain, NOBODY)
    return None if named is None else next((one for one in domains.values() if str(one) == named), NOBODY)


def _share(part: int, whole: int) -> float:
    return part * 100 / whole if whole else 0.0
