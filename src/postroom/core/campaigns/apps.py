"""Registers the campaigns app with Django."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """The campaigns app."""

    name = "postroom.core.campaigns"
    label = "campaigns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the mail app, and tell the contacts app which mailing was whose."""
        from postroom.core.campaigns import subscribers
        from postroom.core.campaigns.rules import MAILINGS
        from postroom.core.campaigns.selectors.told import name_campaign
        from postroom.core.contacts import ports
        from postroom.core.events import services as events
        from postroom.core.webhooks.ports import complete_facts
        from postroom.core.webhooks.types import MAIL_EVENTS

        events.subscribe("mail.batch_finished", subscribers.settle_campaign)
        events.subscribe("mail.batch_braked", subscribers.tell_braked)
        ports.provide_campaigns(MAILINGS)
        complete_facts(MAIL_EVENTS, name_campaign)
