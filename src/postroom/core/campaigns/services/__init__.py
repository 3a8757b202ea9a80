"""Writes of campaigns: drafts, sending, stopping."""

from postroom.core.campaigns.services.control import cancel_campaign, pause_campaign, resume_campaign
from postroom.core.campaigns.services.drafts import create_campaign, delete_campaign, update_campaign
from postroom.core.campaigns.services.sending import (
    schedule_campaign,
    send_campaign,
    send_test,
    start_due_campaigns,
)
from postroom.core.campaigns.services.starting import fail_campaign, settle_campaign, start_campaign

__all__ = [
    "cancel_campaign",
    "create_campaign",
    "delete_campaign",
    "fail_campaign",
    "pause_campaign",
    "resume_campaign",
    "schedule_campaign",
    "send_campaign",
    "send_test",
    "settle_campaign",
    "start_campaign",
    "start_due_campaigns",
    "update_campaign",
]
