"""Bodies of the campaign operations."""

from typing import Annotated

from pydantic import Field, WithJsonSchema, model_validator

from postroom.api.shared.values import Camel, Instant
from postroom.api.usesend.issues import custom, unfit
from postroom.api.usesend.schemas.values import FilledTexts, OptionalFlag, OptionalText, Text, not_null, whole

_FILLED = {"type": "string", "minLength": 1}
_SIZE = {"type": "integer", "minimum": 1, "maximum": 100_000}

OptionalFilled = Annotated[Text | None, not_null("string"), WithJsonSchema(_FILLED)]
BatchSize = Annotated[int | None, whole(1, 100_000), WithJsonSchema(_SIZE)]


class CampaignCreate(Camel):
    """A campaign to make, and perhaps to schedule."""

    name: Text
    from_: Annotated[Text, Field(alias="from")]
    subject: Text
    preview_text: OptionalText = None
    contact_book_id: Text
    content: OptionalFilled = None
    html: OptionalFilled = None
    reply_to: FilledTexts = []
    cc: FilledTexts = []
    bcc: FilledTexts = []
    send_now: OptionalFlag = None
    scheduled_at: OptionalText = None
    batch_size: BatchSize = None

    @model_validator(mode="after")
    def need_words(self) -> "CampaignCreate":
        """A campaign has a body, as a document or as HTML."""
        if self.content is None and self.html is None:
            raise unfit(custom("Either content or html must be given"))
        return self


class CampaignSchedule(Camel):
    """When a campaign goes out; at once unless it says so."""

    scheduled_at: OptionalText = None
    batch_size: BatchSize = None


class CampaignSummary(Camel):
    """A campaign of a list."""

    id: str
    name: str
    from_: Annotated[str, Field(alias="from")]
    subject: str
    created_at: Instant
    updated_at: Instant
    status: str
    scheduled_at: Instant | None
    total: int
    sent: int
    delivered: int
    unsubscribed: int


class CampaignList(Camel):
    """One page of campaigns, and how many pages there are."""

    campaigns: list[CampaignSummary]
    total_page: int


class Campaign(CampaignSummary):
    """A campaign with its counters."""

    preview_text: str | None
    contact_book_id: str | None
    html: str | None
    content: str | None
    batch_size: int
    batch_window_minutes: int
    opened: int
    clicked: int
    bounced: int
    hard_bounced: int
    complained: int
    reply_to: list[str]
    cc: list[str]
    bcc: list[str]


class SuccessResult(Camel):
    """That it was done."""

    success: bool
