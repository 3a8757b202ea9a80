"""Frozen values and enumerations of the campaigns app."""

from dataclasses import dataclass

from django.db.models import TextChoices

from postroom.core.mail.types import BodyFormat
from postroom.kit.types import UNSET, Unset


class CampaignStatus(TextChoices):
    """The life of a campaign."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CampaignChanges:
    """What an author may set on a draft; ``UNSET`` fields stay as they are. Ids are keys of the same workspace."""

    name: str | Unset = UNSET
    subject: str | Unset = UNSET
    preheader: str | Unset = UNSET
    body_format: BodyFormat | Unset = UNSET
    body: str | Unset = UNSET
    text: str | Unset = UNSET
    sender_id: int | Unset | None = UNSET
    category_id: int | Unset | None = UNSET
    segment_id: int | Unset | None = UNSET
    list_ids: tuple[int, ...] | Unset = UNSET
