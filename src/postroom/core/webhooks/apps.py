"""Registers the webhooks app with Django."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """The webhooks app."""

    name = "postroom.core.webhooks"
    label = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Speak the house's own dialect; the doors bring theirs."""
        from postroom.core.webhooks.ports import register_writer
        from postroom.core.webhooks.rules.plain import PLAIN, PLAIN_DOOR

        register_writer(PLAIN_DOOR, PLAIN)
