"""Registers the workspaces app with Django."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """The workspaces app."""

    name = "postroom.core.workspaces"
    label = "workspaces"
    default_auto_field = "django.db.models.BigAutoField"
