"""Warm-ups: a new account may send a little more every day, as long as what it sends is welcome."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.events import services as events
from postroom.core.mail.models import Limit, LimitUse, SenderAccount, SenderDay, WarmUp, WarmUpDay
from postroom.core.mail.rules.brakes import Toll
from postroom.core.mail.rules.limit_terms import check_plan
from postroom.core.mail.rules.plans import cap_of, zone_of
from postroom.core.mail.selectors.brakes import count_account_toll, load_levels
from postroom.core.mail.selectors.plans import plan_of
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.services.limit_terms import mark_limited
from postroom.core.mail.types import BrakeLevels, Per, WarmUpPlan
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

_WHOLE: Final = 10_000
_ENOUGH: Final = 100
"""Over fewer answered messages a share says nothing."""


@transaction.atomic
def start_warm_up(*, workspace: Workspace, uid: UUID, plan: WarmUpPlan, actor: Actor, now: datetime) -> WarmUp:
    """Hold an account to a plan that starts today, instead of any before. Raises NoSuchSender, BadLimit."""
    check_plan(plan)
    sender = get_sender(workspace=workspace, uid=uid)
    _end(sender)
    limit = Limit.objects.create(
        workspace=workspace, sender=sender, most=plan.start, per=Per.DAY, is_spread=True, created_at=now
    )
    LimitUse.objects.create(limit=limit)
    today = _today(workspace, now)
    warm_up = WarmUp.objects.create(
        sender=sender,
        limit=limit,
        start=plan.start,
        growth=plan.growth,
        target=plan.target,
        started_on=today,
        grown_on=today,
    )
    WarmUpDay.objects.create(warm_up=warm_up, day=today, cap=plan.start)
    mark_limited(workspace=workspace)
    said: JSONObject = {"start": plan.start, "growth": plan.growth, "target": plan.target}
    _note(sender, "warm_up.started", actor, now, after=said)
    return warm_up


@transaction.atomic
def end_warm_up(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Let an account send without its plan; what it sent and was allowed is forgotten. Raises NoSuchSender."""
    sender = get_sender(workspace=workspace, uid=uid)
    if _end(sender):
        mark_limited(workspace=workspace)
        _note(sender, "warm_up.ended", actor, now)


def grow_warm_ups(*, now: datetime) -> int:
    """Set the cap of every warm-up that has a new day; return how many. Safe to repeat and in several processes.

    A day that went badly, with more than half of what would brake a campaign, or that left the cap half unused, says
    nothing for more: the cap stays.
    """
    rows = WarmUp.objects.select_related("sender__workspace").order_by("pk")
    due = [one.pk for one in rows.iterator() if one.grown_on < _today(one.sender.workspace, now)]
    return sum(_grow(pk, now) for pk in due)


@transaction.atomic
def _grow(pk: int, now: datetime) -> bool:
    rows = WarmUp.objects.select_for_update(of=("self",)).select_related("sender__workspace", "limit")
    warm_up = rows.filter(pk=pk).first()
    today = _today(warm_up.sender.workspace, now) if warm_up is not None else date.min
    if warm_up is None or warm_up.grown_on >= today:
        return False
    warm_up.note = _find_hold(warm_up, now)
    warm_up.step += not warm_up.note
    warm_up.grown_on = today
    warm_up.save(update_fields=["note", "step", "grown_on"])
    cap = cap_of(plan_of(warm_up), warm_up.step)
    Limit.objects.filter(pk=warm_up.limit_id).update(most=cap)
    WarmUpDay.objects.update_or_create(warm_up=warm_up, day=today, defaults={"cap": cap})
    mark_limited(workspace=warm_up.sender.workspace)
    return True


def _find_hold(warm_up: WarmUp, now: datetime) -> str:
    """Return why the account should not grow today, empty when it may."""
    toll = count_account_toll(sender_id=warm_up.sender_id, now=now)
    if bad := _find_bad(toll, load_levels(workspace=warm_up.sender.workspace)):
        return bad
    days = SenderDay.objects.filter(sender_id=warm_up.sender_id, day=warm_up.grown_on)
    sent = days.values_list("used", flat=True).first() or 0
    most = warm_up.limit.most or 0
    return f"Only {sent:,} of {most:,} messages left on {warm_up.grown_on:%d %B}." if sent * 2 < most else ""


def _find_bad(toll: Toll, levels: BrakeLevels) -> str:
    if toll.answered < _ENOUGH:
        return ""
    bounces, complaints = toll.bounced * _WHOLE / toll.answered, toll.complained * _WHOLE / toll.answered
    if bounces * 2 >= levels.bounces:
        return f"{bounces / 100:.2g} % of the last day's mail bounced."
    if complaints * 2 >= levels.complaints:
        return f"{complaints / 100:.2g} % of the last day's readers called the mail unwanted."
    return ""


def _end(sender: SenderAccount) -> bool:
    count, _ = Limit.objects.filter(warm_up__sender=sender).delete()
    return bool(count)


def _today(workspace: Workspace, now: datetime) -> date:
    return now.astimezone(zone_of(workspace.timezone)).date()


def _note(sender: SenderAccount, act: str, actor: Actor, now: datetime, after: JSONObject | None = None) -> None:
    record = AuditRecord(act, "sender", sender.pk, after=after)
    events.record_act(workspace=sender.workspace, actor=actor, act=record, now=now, data={"sender": str(sender.uid)})
