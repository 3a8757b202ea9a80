"""Which destinations a sender account lets rest."""

from datetime import datetime

from postroom.core.mail.models import DestinationRest


def list_rests(*, sender_id: int, now: datetime) -> list[DestinationRest]:
    """Return the rests that last, the one that ends first in front: until when, and what the server said."""
    return list(DestinationRest.objects.filter(sender_id=sender_id, until__gt=now).order_by("until", "destination"))
