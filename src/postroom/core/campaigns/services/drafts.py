"""Drafts: a campaign while it is written."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.campaigns.errors import BadCampaign, CampaignState
from postroom.core.campaigns.models import Campaign, Trial, Variant
from postroom.core.campaigns.rules import LETTERS, check_portion, check_text, check_trial
from postroom.core.campaigns.selectors import lock_campaign
from postroom.core.campaigns.services.going import call_off
from postroom.core.campaigns.services.states import note
from postroom.core.campaigns.types import CampaignChanges, CampaignStatus, Metric, TrialPlan, Words
from postroom.core.contacts import selectors as contacts
from postroom.core.mail import selectors
from postroom.core.mail import services as mail
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.types import Unset

_TEXTS: Final = ("name", "subject", "preheader", "sender_name", "body", "text")
# A body may be long; its audit row says that it changed, not every letter of it.
_LONGEST_IN_AUDIT: Final = 1000


@transaction.atomic
def create_campaign(*, workspace: Workspace, name: str, actor: Actor, now: datetime) -> Campaign:
    """Start an empty draft from the workspace's first sender, else from the sandbox. Raises BadCampaign."""
    campaign = Campaign.objects.create(
        workspace=workspace,
        created_by_id=actor.user_id,
        name=check_text("name", name).strip(),
        sender=mail.first_sender(workspace=workspace, actor=actor, now=now),
        created_at=now,
        updated_at=now,
    )
    note(campaign, act="campaign.created", actor=actor, now=now, after={"name": campaign.name})
    return campaign


@transaction.atomic
def update_campaign(
    *, workspace: Workspace, uid: UUID, changes: CampaignChanges, actor: Actor, now: datetime
) -> Campaign:
    """Change a draft. Raises NoSuchCampaign, CampaignState, BadCampaign, and for foreign parts NoSuchSender,
    NoSuchCategory, NoSuchSegment or NoSuchList.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    _require_draft(campaign, "changed")
    wanted = _wanted_fields(workspace, changes)
    wanted |= _outdated(campaign, wanted)
    if not isinstance(changes.list_ids, Unset) or not isinstance(changes.segment_id, Unset):
        wanted["lost_list"] = False  # somebody has said who it is for
    before = {name: getattr(campaign, name) for name in wanted}
    for name, value in wanted.items():
        setattr(campaign, name, value)
    campaign.updated_at = now
    campaign.save(update_fields=[*wanted, "updated_at"])
    if not isinstance(changes.list_ids, Unset):
        before["lists"] = sorted(campaign.lists.values_list("pk", flat=True))
        wanted["lists"] = sorted(set(changes.list_ids))
        campaign.lists.set([contacts.get_list(workspace=workspace, list_id=pk) for pk in set(changes.list_ids)])
    if not isinstance(changes.variants, Unset) or not isinstance(changes.trial, Unset):
        before["variants"], wanted["variants"] = _set_trial(campaign, changes)
    changed = [name for name in wanted if wanted[name] != before[name]]
    note(
        campaign,
        act="campaign.updated",
        actor=actor,
        now=now,
        before={name: _short(before[name]) for name in changed},
        after={name: _short(wanted[name]) for name in changed},
    )
    return campaign


@transaction.atomic
def delete_campaign(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a campaign in whatever state; one under way is called off first. What was sent of it stays, in the ledger
    and in the history of its readers.

    Raises NoSuchCampaign, and BadCampaign while another campaign goes to those whom it did not move.
    """
    campaign = lock_campaign(workspace=workspace, uid=uid)
    again = Campaign.objects.filter(resend_of=campaign).first()
    if again is not None:
        raise BadCampaign(f"{campaign.name} cannot be deleted: {again.name} goes to those whom it did not move.")
    call_off(campaign, now)
    before = {"name": campaign.name, "status": campaign.status}
    note(campaign, act="campaign.deleted", actor=actor, now=now, before=before)
    campaign.delete()


def _require_draft(campaign: Campaign, act: str) -> None:
    if campaign.status != CampaignStatus.DRAFT:
        raise CampaignState(
            f"The campaign {campaign.name} is {campaign.status}; only a draft can be {act}.", status=campaign.status
        )


def _wanted_fields(workspace: Workspace, changes: CampaignChanges) -> dict[str, object]:
    """Return the fields to set, each allowed and of this workspace."""
    wanted: dict[str, object] = {}
    for name in _TEXTS:
        value = getattr(changes, name)
        if not isinstance(value, Unset):
            wanted[name] = check_text(name, value)
    if not isinstance(changes.body_format, Unset):
        wanted["body_format"] = changes.body_format
    for name in ("batch_size", "batch_window_minutes"):
        value = getattr(changes, name)
        if not isinstance(value, Unset):
            wanted[name] = check_portion(name, value)
    for name in ("sender_id", "category_id", "segment_id"):
        value = getattr(changes, name)
        if not isinstance(value, Unset):
            if value is not None:
                _require_own(workspace, name, value)
            wanted[name] = value
    return wanted


def _outdated(campaign: Campaign, wanted: Mapping[str, object]) -> dict[str, object]:
    """Return what a program wrote of a campaign that is not what it says any more, emptied."""
    changed = {name for name, value in wanted.items() if value != getattr(campaign, name)}
    sources = {
        "subject": ("source_subject",),
        "preheader": ("source_preheader",),
        "body": ("document", "source_html"),
        "sender_id": ("from_address",),
    }
    return {source: "" for name in changed for source in sources.get(name, ())}


def _require_own(workspace: Workspace, name: str, key: int) -> None:
    if name == "sender_id":
        selectors.get_sender(workspace=workspace, sender_id=key)
    elif name == "category_id":
        contacts.get_category(workspace=workspace, category_id=key)
    else:
        contacts.get_segment_by_id(workspace=workspace, segment_id=key)


def _set_trial(campaign: Campaign, changes: CampaignChanges) -> tuple[str, str]:
    """Write down the variants and how they are tried out; return what there was and what there is, for the audit."""
    found = Trial.objects.filter(campaign=campaign).first()
    old = [Words(row.subject, row.preheader, row.sender_name, row.body, row.text) for row in _variants(campaign)]
    words = old if isinstance(changes.variants, Unset) else list(changes.variants)
    plan = (_plan_of(found) if found else TrialPlan()) if isinstance(changes.trial, Unset) else changes.trial
    check_trial(plan, variants=len(words))
    rows = [{name: check_text(name, text) for name, text in asdict(one).items()} for one in words]
    campaign.variants.all().delete()
    Trial.objects.filter(campaign=campaign).delete()
    if rows:
        Variant.objects.bulk_create(
            Variant(campaign=campaign, letter=letter, **row) for letter, row in zip(LETTERS[1:], rows, strict=False)
        )
        Trial.objects.create(campaign=campaign, **asdict(plan))
    before = (old, _plan_of(found)) if found else "none"
    return str(before)[:_LONGEST_IN_AUDIT], str((words, plan) if rows else "none")[:_LONGEST_IN_AUDIT]


def _variants(campaign: Campaign) -> list[Variant]:
    return list(campaign.variants.order_by("letter"))


def _plan_of(trial: Trial) -> TrialPlan:
    return TrialPlan(trial.percent, Metric(trial.metric), trial.wait_minutes, trial.wanted_count)


def _short(value: object) -> object:
    return value[:_LONGEST_IN_AUDIT] if isinstance(value, str) else value
