"""A copy of a campaign: its words, variants and audience, as a campaign of its own."""

from datetime import datetime

from postroom.core.campaigns.models import Campaign, CampaignList, Trial, Variant
from postroom.core.campaigns.rules import check_text

_COPIED = (
    "workspace_id",
    "created_by_id",
    "subject",
    "preheader",
    "sender_name",
    "body_format",
    "body",
    "text",
    "document",
    "source_html",
    "source_subject",
    "source_preheader",
    "from_address",
    "reply_to",
    "cc",
    "bcc",
    "batch_size",
    "batch_window_minutes",
    "lost_list",
    "sender_id",
    "category_id",
    "segment_id",
    "resend_of_id",
    "resend_by",
)
_LONGEST_NAME = 200


def copy_campaign(source: Campaign, *, name: str, now: datetime, **changes: object) -> Campaign:
    """Return a new campaign that says what ``source`` says, to the same people, but for ``changes``."""
    fields = {field: getattr(source, field) for field in _COPIED}
    made = Campaign.objects.create(
        **{**fields, "name": check_text("name", name[:_LONGEST_NAME]), "created_at": now, "updated_at": now, **changes}
    )
    lists = source.lists.values_list("pk", flat=True)
    CampaignList.objects.bulk_create(CampaignList(campaign=made, list_id=pk) for pk in lists)
    return made


def copy_trial(source: Campaign, to: Campaign) -> None:
    """Give a campaign the variants of another, and the plan of its trial, not yet begun."""
    texts = ("letter", "subject", "preheader", "sender_name", "body", "text")
    rows = source.variants.values(*texts)
    Variant.objects.bulk_create(Variant(campaign=to, **row) for row in rows)
    plan = Trial.objects.filter(campaign=source).values("percent", "metric", "wait_minutes", "wanted_count").first()
    if plan is not None:
        Trial.objects.create(campaign=to, **plan)
