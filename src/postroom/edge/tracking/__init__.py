"""Opens and clicks: raw handlers beside Django, each hit durable before it is answered."""

from postroom.edge.tracking.application import Tracking

__all__ = ["Tracking"]
