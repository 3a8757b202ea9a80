"""Where providers report: their webhooks, verified and stored."""

from postroom.edge.webhooks.application import PREFIX, Webhooks

__all__ = ["PREFIX", "Webhooks"]
