"""Registers the edge door with Django, for its templates and static files."""

from django.apps import AppConfig


class EdgeConfig(AppConfig):
    """The edge door."""

    name = "postroom.edge"
    label = "edge"
