"""Reads of campaigns: one, many, and how one will look."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q

from postroom.core.campaigns.errors import NoSuchCampaign
from postroom.core.campaigns.models import Campaign
from postroom.core.campaigns.rules import EXAMPLE_READER
from postroom.core.campaigns.types import CampaignStatus, Words
from postroom.core.contacts import selectors as contacts
from postroom.core.mail import selectors as mail
from postroom.core.mail.models import Batch
from postroom.core.mail.rules import compose
from postroom.core.mail.types import BatchStatus, BodyFormat, Composition
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page
from postroom.kit.types import JSONValue

_LAST_PAGE: Final = 1_000_000
_NAMED: Final = ("workspace", "sender", "category", "segment", "batch", "trial", "recurrence", "resend_of", "made_from")


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign of a list, with how many recipients it has and how many of them need nothing more."""

    campaign: Campaign
    total: int
    done: int


def get_campaign(*, workspace: Workspace, uid: UUID) -> Campaign:
    """Return a campaign with everything it names. Raises NoSuchCampaign, also for one of another workspace."""
    rows = Campaign.objects.select_related(*_NAMED).prefetch_related("lists")
    campaign = rows.filter(workspace=workspace, uid=uid).first()
    if campaign is None:
        raise NoSuchCampaign("There is no such campaign in this workspace.")
    return campaign


def lock_campaign(*, workspace: Workspace, uid: UUID) -> Campaign:
    """Return a campaign, locked until the transaction ends. Raises NoSuchCampaign."""
    campaign = Campaign.objects.select_for_update().filter(workspace=workspace, uid=uid).first()
    if campaign is None:
        raise NoSuchCampaign("There is no such campaign in this workspace.")
    return campaign


def list_campaigns(*, workspace: Workspace, page: PageRequest, status: str = "") -> Page[CampaignRow]:
    """Return campaigns with their progress, newest first; with ``status``, only those."""
    rows = Campaign.objects.filter(workspace=workspace).select_related("batch", "recurrence")
    if status:
        rows = rows.filter(status=status)
    found = fetch_page(rows.order_by("-id"), page)
    done = _count_done([row.batch for row in found.items if row.batch is not None])
    return found.map(lambda row: _row(row, done))


def find_campaigns(
    *, workspace: Workspace, number: int, size: int, statuses: Collection[str] = (), text: str = ""
) -> tuple[list[Campaign], int]:
    """Return page ``number`` of the campaigns, newest first, and how many there are on all pages.

    With ``statuses`` only those in one of them, with ``text`` only those with it in their name or subject, in any case.
    """
    rows = Campaign.objects.filter(workspace=workspace)
    if statuses:
        rows = rows.filter(status__in=statuses)
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(source_subject__icontains=text) | Q(subject__icontains=text))
    start = (min(number, _LAST_PAGE) - 1) * size
    found = rows.select_related("workspace", "sender", "resend_of").prefetch_related("lists").order_by("-id")
    return list(found[start : start + size]), rows.count()


def _count_done(batches: Sequence[Batch]) -> dict[int, int]:
    """Return how many people of each batch need nothing more: all, where it is done; only the others are looked at."""
    done = {batch.pk: batch.total for batch in batches if batch.status == BatchStatus.DONE}
    moving = [batch.pk for batch in batches if batch.pk not in done]
    return {**done, **(mail.count_done(batch_ids=moving) if moving else {})}


def _row(campaign: Campaign, done: Mapping[int, int]) -> CampaignRow:
    batch = campaign.batch
    return CampaignRow(campaign, total=batch.total if batch else 0, done=done.get(batch.pk, 0) if batch else 0)


def list_runs(*, campaign: Campaign, limit: int = 20) -> list[Campaign]:
    """Return the last runs of a repeating campaign, newest first."""
    return list(campaign.runs.select_related("batch").order_by("-id")[:limit])


def list_mailings(*, workspace: Workspace, limit: int = 200) -> list[Campaign]:
    """Return the campaigns that were sent, or are being sent, newest first."""
    return list(Campaign.objects.filter(workspace=workspace).exclude(batch=None).order_by("-id")[:limit])


def list_campaigns_for_segment(*, workspace: Workspace, segment_id: int) -> list[Campaign]:
    """Return the campaigns to come that a segment says the audience of, by name."""
    to_come = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.REPEATING)
    rows = Campaign.objects.filter(workspace=workspace, segment_id=segment_id, status__in=to_come)
    return list(rows.order_by("name", "pk"))


def composition_of(campaign: Campaign, words: Words | None = None) -> Composition:
    """Return what the author wrote, or what a variant of it says."""
    said = words or campaign
    return Composition(
        subject=said.subject,
        body=said.body,
        body_format=BodyFormat(campaign.body_format),
        text=said.text,
        preheader=said.preheader,
    )


def preview_campaign(*, workspace: Workspace, uid: UUID, contact_uid: UUID | None = None) -> compose.Preview:
    """Return the mail as one person, or an example reader, would see it.

    Raises NoSuchCampaign, NoSuchContact, BadComposition or TemplateRefused.
    """
    composition = composition_of(get_campaign(workspace=workspace, uid=uid))
    return preview_composition(workspace=workspace, composition=composition, contact_uid=contact_uid)


def preview_composition(
    *, workspace: Workspace, composition: Composition, contact_uid: UUID | None = None
) -> compose.Preview:
    """Return unsaved text as one person, or an example reader, would see it."""
    return compose.preview(composition, _reader(workspace, contact_uid))


def _reader(workspace: Workspace, contact_uid: UUID | None) -> Mapping[str, JSONValue]:
    if contact_uid is None:
        return EXAMPLE_READER
    contact = contacts.get_contact(workspace=workspace, uid=contact_uid)
    return contacts.load_profiles(contact_ids=(contact.pk,))[contact.pk]
