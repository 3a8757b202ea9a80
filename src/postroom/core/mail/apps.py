"""Registers the mail app with Django."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """The mail app."""

    name = "postroom.core.mail"
    label = "mail"
    default_auto_field = "django.db.models.BigAutoField"
