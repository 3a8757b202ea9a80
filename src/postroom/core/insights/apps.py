"""Registers the insights app with Django."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    """The insights app."""

    name = "postroom.core.insights"
    label = "insights"
    default_auto_field = "django.db.models.BigAutoField"
