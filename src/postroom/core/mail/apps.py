"""Registers the mail app with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """The mail app."""

    name = "postroom.core.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the contacts app."""
        from postroom.core.events import services as events
        from postroom.core.mail import subscribers

        events.subscribe("list.confirmation_wanted", subscribers.send_confirmation)
        events.subscribe("preferences.link_wanted", subscribers.send_preference_link)
        events.subscribe("privacy.link_wanted", subscribers.send_privacy_link)
