"""Registers the wiring itself with Django, for its start-up checks."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, processes and checks."""

    name = "postroom.config"
    label = "config"

    def ready(self) -> None:
        """Register the numbered checks, and who writes webhooks in which words."""
        from postroom.api.usesend.events import WRITER
        from postroom.config import checks  # noqa: F401 - checks register on import, after the apps are there
        from postroom.core.webhooks.ports import register_writer
        from postroom.core.workspaces.types import Door

        register_writer(Door.USESEND, WRITER)
