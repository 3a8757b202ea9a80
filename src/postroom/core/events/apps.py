"""Registers the events app with Django."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The events app."""

    name = "postroom.core.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"
