"""Registers the mail app with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """The mail app."""

    name = "postroom.core.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the contacts app, tell it where deeds stand, and forget whom it erases; complete webhooks."""
        from postroom.core.contacts import ports
        from postroom.core.events import services as events
        from postroom.core.mail import subscribers
        from postroom.core.mail.rules.confirmations import check_document
        from postroom.core.mail.rules.deeds import DEEDS
        from postroom.core.mail.selectors.told import fill_subject
        from postroom.core.mail.services.erasure import scrub_mail
        from postroom.core.mail.services.notices import check_own_from
        from postroom.core.webhooks.ports import complete_facts
        from postroom.core.webhooks.types import MAIL_EVENTS

        events.subscribe("list.confirmation_wanted", subscribers.send_confirmation)
        events.subscribe("preferences.link_wanted", subscribers.send_preference_link)
        events.subscribe("privacy.link_wanted", subscribers.send_privacy_link)
        events.subscribe("contact.merged", subscribers.follow_merge)
        ports.provide_deeds(DEEDS)
        ports.provide_letter_rules(ports.LetterRules(check_own_from, check_document))
        ports.on_erasure(scrub_mail)
        complete_facts(MAIL_EVENTS, fill_subject)
        events.subscribe("webhook.disabled", subscribers.tell_disabled)
