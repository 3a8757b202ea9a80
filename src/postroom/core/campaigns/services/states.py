"""How a campaign changes its state: by one conditional update whose row count is believed, and a trace of it."""

from collections.abc import Mapping
from datetime import datetime

from postroom.core.campaigns.errors import CampaignState
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.types import CampaignStatus
from postroom.core.events import services as events
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


def move(
    campaign: Campaign,
    *,
    allowed: tuple[CampaignStatus, ...],
    to: CampaignStatus,
    act: str,
    now: datetime,
    **fields: object,
) -> None:
    """Bring a campaign from one of the ``allowed`` states into ``to``, setting ``fields`` with it.

    Raises CampaignState when it is in another state by now: of two at once, one wins.
    """
    rows = Campaign.objects.filter(pk=campaign.pk, status__in=allowed)
    if not rows.update(status=to, updated_at=now, **fields):
        campaign.refresh_from_db(fields=("status",))
        raise CampaignState(
            f"The campaign {campaign.name} is {campaign.status}; it cannot be {act}.", status=campaign.status
        )
    campaign.status = to
    for name, value in fields.items():
        setattr(campaign, name, value)


def note(
    campaign: Campaign,
    *,
    act: str,
    actor: Actor,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Append what was done to the audit trail and tell it as an event, in the transaction that did it."""
    record = AuditRecord(act, "campaign", campaign.pk, before=_plain(before), after=_plain(after))
    events.record_act(
        workspace=campaign.workspace, actor=actor, act=record, now=now, data={"campaign": str(campaign.uid)}
    )


def _plain(fields: Mapping[str, object] | None) -> JSONObject | None:
    """Return fields as JSON can hold them."""
    if fields is None:
        return None
    return {name: value if isinstance(value, str | int | None) else str(value) for name, value in fields.items()}
