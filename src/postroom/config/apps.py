"""Registers the wiring itself with Django, for its start-up checks."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, processes and checks."""

    name = "postroom.config"
    label = "config"

    def ready(self) -> None:
        """Register the numbered checks."""
        from postroom.config import checks  # noqa: F401 - checks register on import, after the apps are there
