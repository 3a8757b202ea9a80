"""Reads of the insights app."""

from postroom.core.insights.selectors.overviews import workspace_overview
from postroom.core.insights.selectors.reports import campaign_report
from postroom.core.insights.selectors.timelines import contact_timeline

__all__ = ["campaign_report", "contact_timeline", "workspace_overview"]
