"""Registers the contacts app with Django."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """The contacts app."""

    name = "postroom.core.contacts"
    label = "contacts"
    default_auto_field = "django.db.models.BigAutoField"
