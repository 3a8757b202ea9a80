"""Writes of campaigns: drafts, sending, repeating, trials, stopping."""

from postroom.core.campaigns.services.anytime import pause_anytime, resume_anytime, schedule_anytime
from postroom.core.campaigns.services.control import cancel_campaign, pause_campaign, resume_campaign
from postroom.core.campaigns.services.drafts import create_campaign, delete_campaign, update_campaign
from postroom.core.campaigns.services.lists import delete_list
from postroom.core.campaigns.services.programs import write_campaign
from postroom.core.campaigns.services.repeating import repeat_campaign, run_due_recurrences
from postroom.core.campaigns.services.resending import resend_campaign
from postroom.core.campaigns.services.sending import (
    schedule_campaign,
    schedule_campaign_locally,
    send_campaign,
    send_test,
    start_due_campaigns,
)
from postroom.core.campaigns.services.starting import fail_campaign, settle_campaign, start_campaign
from postroom.core.campaigns.services.telling import tell_braked
from postroom.core.campaigns.services.trials import decide_due_trials, decide_trial

__all__ = [
    "cancel_campaign",
    "create_campaign",
    "decide_due_trials",
    "decide_trial",
    "delete_campaign",
    "delete_list",
    "fail_campaign",
    "pause_anytime",
    "pause_campaign",
    "repeat_campaign",
    "resend_campaign",
    "resume_anytime",
    "resume_campaign",
    "run_due_recurrences",
    "schedule_anytime",
    "schedule_campaign",
    "schedule_campaign_locally",
    "send_campaign",
    "send_test",
    "settle_campaign",
    "start_campaign",
    "start_due_campaigns",
    "tell_braked",
    "update_campaign",
    "write_campaign",
]
