"""Repeating: a campaign that sends a copy of itself by a timetable."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign
from postroom.core.campaigns.jobs import defer_start_campaign
from postroom.core.campaigns.models import Campaign, Recurrence
from postroom.core.campaigns.rules import describe_repeat, next_run, write_repeat
from postroom.core.campaigns.selectors import get_campaign, has_people
from postroom.core.campaigns.services.copying import copy_campaign, copy_trial
from postroom.core.campaigns.services.readiness import check_ready
from postroom.core.campaigns.services.states import move, note
from postroom.core.campaigns.types import CampaignStatus, RepeatPlan
from postroom.core.contacts.errors import SegmentTooSlow
from postroom.core.mail import selectors as mails
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Actor
from postroom.kit.errors import AppError

log = structlog.get_logger(__name__)


@transaction.atomic
def repeat_campaign(*, workspace: Workspace, uid: UUID, plan: RepeatPlan, actor: Actor, now: datetime) -> Campaign:
    """Have a draft sent by a timetable; each run is a campaign of its own, with the words and people of that moment.

    Raises NoSuchCampaign, CampaignState, BadCampaign for a timetable that never comes, and what ``send_campaign``
    raises.
    """
    campaign = get_campaign(workspace=workspace, uid=uid)
    schedule, first = _first_run(plan, now)
    check_ready(campaign, now=now)
    allowed = (CampaignStatus.DRAFT,)
    move(campaign, allowed=allowed, to=CampaignStatus.REPEATING, act="repeated", now=now, error="")
    fields = {"schedule": schedule, "zone": plan.zone, "ends_on": plan.ends_on, "most_runs": plan.most_runs}
    begun = {"run_count": 0, "skip_count": 0, "last_run_at": None, "next_at": first}
    Recurrence.objects.update_or_create(campaign=campaign, defaults={**fields, **begun})
    after = {"timetable": describe_repeat(plan.repeat), "zone": plan.zone, "next_at": first}
    note(campaign, act="campaign.repeated", actor=actor, now=now, after=after)
    return campaign


def run_due_recurrences(*, now: datetime) -> int:
    """Run every repeating campaign whose time has come; return how many ran. However many look, each runs once.

    Runs that were missed meanwhile are made up for by one.
    """
    due = Recurrence.objects.filter(next_at__lte=now).order_by("next_at").values_list("campaign_id", flat=True)[:100]
    return sum(_run_due(pk, now) for pk in list(due))


def plan_next_run(recurrence: Recurrence, *, now: datetime) -> datetime | None:
    """Return when a repeating campaign runs next after ``now``, None when it has come to its end."""
    if recurrence.most_runs is not None and recurrence.run_count >= recurrence.most_runs:
        return None
    return next_run(recurrence.schedule, zone=recurrence.zone, after=now, ends_on=recurrence.ends_on)


@transaction.atomic
def _run_due(campaign_id: int, now: datetime) -> bool:
    """Run a campaign if it is due and nobody else is at it; return whether it ran. All mail stopped, it waits."""
    rows = Campaign.objects.select_for_update(of=("self",), skip_locked=True).select_related("workspace")
    template = rows.filter(pk=campaign_id, status=CampaignStatus.REPEATING).first()
    # Asked once more under the lock: whoever held it before may have run it.
    found = Recurrence.objects.filter(campaign=campaign_id, next_at__lte=now).first()
    if template is None or found is None or mails.find_stop(workspace=template.workspace) is not None:
        return False
    made = _run(template, found, now)
    if made is None:
        found.skip_count += 1
    else:
        found.run_count += 1
        found.last_run_at = now
    found.next_at = plan_next_run(found, now=now)
    found.save(update_fields=["run_count", "skip_count", "last_run_at", "next_at"])
    if found.next_at is None:
        allowed = (CampaignStatus.REPEATING,)
        move(template, allowed=allowed, to=CampaignStatus.SENT, act="ended", now=now, finished_at=now)
        note(template, act="campaign.finished", actor=SYSTEM, now=now)
    return made is not None


def _run(template: Campaign, recurrence: Recurrence, now: datetime) -> Campaign | None:
    """Start a copy of a repeating campaign; None, with the reason noted, when it cannot be sent or there is nobody."""
    why = _why_not(template, now)
    if why:
        Campaign.objects.filter(pk=template.pk).update(error=why[:1000], updated_at=now)
        note(template, act="campaign.skipped", actor=SYSTEM, now=now, after={"reason": why})
        return None
    day = now.astimezone(ZoneInfo(recurrence.zone))
    name = f"{template.name[:180]} · {day.day} {day:%b %Y}"
    begun = {"status": CampaignStatus.SENDING, "started_at": now, "made_from_id": template.pk}
    made = copy_campaign(template, name=name, now=now, **begun)
    copy_trial(template, made)
    Campaign.objects.filter(pk=template.pk).update(error="", updated_at=now)
    note(made, act="campaign.sent", actor=SYSTEM, now=now, after={"made_from": template.pk})
    defer_start_campaign(made.pk)
    return made


def _why_not(template: Campaign, now: datetime) -> str:
    try:
        if not has_people(campaign=template, now=now):
            return "Nobody was there to send it to."
        check_ready(template, now=now, has_people=True)
    except SegmentTooSlow:
        return ""  # it took too long to look: the worker that freezes the audience has longer
    except AppError as error:
        log.warning("campaign_run_skipped", campaign_id=template.pk)
        return error.message
    return ""


def _first_run(plan: RepeatPlan, now: datetime) -> tuple[str, datetime]:
    schedule = write_repeat(plan.repeat)
    if plan.most_runs is not None and plan.most_runs < 1:
        raise BadCampaign("A repeating campaign runs at least once.", field="most_runs")
    first = next_run(schedule, zone=plan.zone, after=now, ends_on=plan.ends_on)
    if first is None:
        raise BadCampaign("With that last day it would never run.", field="ends_on")
    return schedule, first
