"""Registers the campaigns app with Django."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns app."""

    name = "postroom.core.campaigns"
    label = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"
