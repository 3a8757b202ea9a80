"""What campaigns do when something happens in the mail app."""

from postroom.core.campaigns import services
from postroom.core.events.types import Event


def settle_campaign(event: Event) -> None:
    """Hear that a batch came to rest."""
    services.settle_campaign(batch_id=event.object_id, now=event.at)


def tell_braked(event: Event) -> None:
    """Hear that a batch stopped itself."""
    key = f"braked {event.id}"
    services.tell_braked(batch_id=event.object_id, reason=str(event.data["reason"]), key=key, now=event.at)
