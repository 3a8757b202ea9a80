"""From draft to sending: the test, the send, the schedule."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.jobs import defer_start_campaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.rules import EXAMPLE_READER, MOST_TEST_RECIPIENTS, make_test
from postroom.core.campaigns.selectors import composition_of, get_campaign, list_variants
from postroom.core.campaigns.services.going import set_going
from postroom.core.campaigns.services.readiness import check_ready, require_complete
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus, Words
from postroom.core.mail import services as mail
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.types import AcceptedMessage, BatchStatus, MessageClass, NewMessage
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Actor

# Where a day begins first and last: Kiritimati, and Baker Island.
_FIRST_ZONE: Final = timezone(timedelta(hours=14))
_LAST_ZONE: Final = timezone(timedelta(hours=-12))


@transaction.atomic
def send_test(
    *, workspace: Workspace, uid: UUID, to: Sequence[str], actor: Actor, now: datetime
) -> list[AcceptedMessage]:
    """Send the mail as it stands, each variant of it, to a few addresses, marked as a test and counted in no report.

    Raises NoSuchCampaign, CampaignIncomplete, BadCampaign, BadAddress, BadComposition or TemplateRefused.
    """
    campaign = get_campaign(workspace=workspace, uid=uid)
    require_complete(campaign, audience_size=1)
    if not 1 <= len(to) <= MOST_TEST_RECIPIENTS:
        raise BadCampaign(f"A test goes to 1 to {MOST_TEST_RECIPIENTS} addresses, not {len(to)}.")
    variants = list_variants(campaign=campaign)
    messages = [
        _test_of(campaign, words, address, letter=letter if len(variants) > 1 else "")
        for letter, words in variants.items()
        for address in to
    ]
    note(campaign, act="campaign.tested", actor=actor, now=now, after={"recipients": len(to)})
    return mail.accept_messages(workspace=workspace, messages=messages, actor=actor, now=now)


def _test_of(campaign: Campaign, words: Words, address: str, *, letter: str) -> NewMessage:
    from_email = campaign.sender.from_email if campaign.sender else ""
    return NewMessage(
        sender_id=campaign.sender_id or 0,
        message_class=MessageClass.MARKETING,
        to=(address,),
        composition=make_test(composition_of(campaign, words), letter=letter),
        from_address=format_address(words.sender_name, from_email) if words.sender_name else "",
        slots={**EXAMPLE_READER, "email": address},
        is_test=True,
    )


@transaction.atomic
def send_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Campaign:
    """Send a draft or a scheduled campaign now; a worker freezes its audience and the senders begin.

    Raises NoSuchCampaign, CampaignState when somebody sent it before, and what ``check_campaign`` raises.
    """
    campaign = get_campaign(workspace=workspace, uid=uid)
    check_ready(campaign, now=now)
    allowed = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
    begun = {"started_at": now, "error": "", "local_date": None, "local_time": None}
    move(campaign, allowed=allowed, to=CampaignStatus.SENDING, act="sent", now=now, **begun)
    note(campaign, act="campaign.sent", actor=actor, now=now)
    defer_start_campaign(campaign.pk)
    return campaign


@transaction.atomic
def schedule_campaign(*, workspace: Workspace, uid: UUID, at: datetime, actor: Actor, now: datetime) -> Campaign:
    """Have a draft sent at a time to come; a scheduled one gets the new time.

    Raises NoSuchCampaign, CampaignState, BadCampaign for a time that is past, and what ``send_campaign`` raises.
    """
    campaign = get_campaign(workspace=workspace, uid=uid)
    if at <= now:
        raise BadCampaign(f"The time to send {campaign.name} has passed already.", field="scheduled_at")
    check_ready(campaign, now=now)
    _schedule(campaign, now, scheduled_at=at, local_date=None, local_time=None)
    note(campaign, act="campaign.scheduled", actor=actor, now=now, after={"at": at.isoformat()})
    return campaign


@transaction.atomic
def schedule_campaign_locally(
    *, workspace: Workspace, uid: UUID, wall: datetime, actor: Actor, now: datetime
) -> Campaign:
    """Have a draft sent to each person when the clock in their own time zone shows ``wall``, which has no zone.

    The audience is written down when the first zone on earth comes to that time. Where it has passed already, people
    get it at once. Raises what ``schedule_campaign`` raises, and BadCampaign for a trial that would hold people back.
    """
    campaign = get_campaign(workspace=workspace, uid=uid)
    if wall.replace(tzinfo=_LAST_ZONE) <= now:
        raise BadCampaign(f"The time to send {campaign.name} has passed everywhere.", field="scheduled_at")
    trial = getattr(campaign, "trial", None)
    if trial is not None and trial.percent < 100:
        message = "A campaign goes by the reader's own clock or is tried out on a sample first, not both."
        raise BadCampaign(message, field="scheduled_at")
    check_ready(campaign, now=now)
    wanted = {"local_date": wall.date(), "local_time": wall.time()}
    _schedule(campaign, now, scheduled_at=wall.replace(tzinfo=_FIRST_ZONE), **wanted)
    note(campaign, act="campaign.scheduled", actor=actor, now=now, after={"at": wall.isoformat(), "zone": "local"})
    return campaign


def _schedule(campaign: Campaign, now: datetime, **fields: object) -> None:
    allowed = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
    move(campaign, allowed=allowed, to=CampaignStatus.SCHEDULED, act="scheduled", now=now, error="", **fields)


def start_due_campaigns(*, now: datetime) -> int:
    """Start every scheduled campaign whose time has come; return how many. Each starts once, whoever looks."""
    due = Campaign.objects.filter(status=CampaignStatus.SCHEDULED, scheduled_at__lte=now)
    return sum(_start_due(pk, now) for pk in due.order_by("scheduled_at").values_list("pk", flat=True)[:100])


@transaction.atomic
def _start_due(campaign_id: int, now: datetime) -> bool:
    rows = Campaign.objects.filter(pk=campaign_id, status=CampaignStatus.SCHEDULED, scheduled_at__lte=now)
    rows = rows.exclude(batch__status=BatchStatus.CANCELLING)  # its senders still put back what they held
    if not rows.update(status=CampaignStatus.SENDING, started_at=now, updated_at=now, error=""):
        return False
    campaign = Campaign.objects.select_related("workspace", "batch").get(pk=campaign_id)
    note(campaign, act="campaign.sent", actor=SYSTEM, now=now)
    set_going(campaign, now)
    return True
