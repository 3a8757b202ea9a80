"""Reads of campaigns."""

from postroom.core.campaigns.selectors.audiences import (
    audience_of,
    count_campaign_audience,
    fence_of,
    find_obstacles,
    has_people,
    has_subscribers,
    list_waves,
)
from postroom.core.campaigns.selectors.campaigns import (
    CampaignRow,
    composition_of,
    find_campaigns,
    get_campaign,
    list_campaigns,
    list_campaigns_for_segment,
    list_mailings,
    list_runs,
    lock_campaign,
    preview_campaign,
    preview_composition,
)
from postroom.core.campaigns.selectors.figures import Figures, count_hard_bounces, list_figures
from postroom.core.campaigns.selectors.forecasts import forecast_campaign
from postroom.core.campaigns.selectors.progress import show_progress
from postroom.core.campaigns.selectors.trials import list_variants, own_words, score_variants

__all__ = [
    "CampaignRow",
    "Figures",
    "audience_of",
    "composition_of",
    "count_campaign_audience",
    "count_hard_bounces",
    "fence_of",
    "find_campaigns",
    "find_obstacles",
    "forecast_campaign",
    "get_campaign",
    "has_people",
    "has_subscribers",
    "list_campaigns",
    "list_campaigns_for_segment",
    "list_figures",
    "list_mailings",
    "list_runs",
    "list_variants",
    "list_waves",
    "lock_campaign",
    "own_words",
    "preview_campaign",
    "preview_composition",
    "score_variants",
    "show_progress",
]
