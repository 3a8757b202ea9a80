"""Reads of the insights app."""

from postroom.core.insights.selectors.overviews import workspace_overview
from postroom.core.insights.selectors.personal_data import collect_personal_data
from postroom.core.insights.selectors.reports import campaign_report
from postroom.core.insights.selectors.timelines import contact_timeline

__all__ = ["campaign_report", "collect_personal_data", "contact_timeline", "workspace_overview"]
