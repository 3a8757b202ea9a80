"""What is added to the facts of mail when webhooks are called."""

from collections.abc import Mapping
from functools import lru_cache

from postroom.core.campaigns.models import Campaign
from postroom.kit.types import JSONValue


def name_campaign(facts: Mapping[str, JSONValue]) -> Mapping[str, JSONValue]:
    """Return the facts of a message with the uid of the campaign it belongs to, if it does."""
    batch_id = facts.get("batch")
    uid = _find_campaign(batch_id) if isinstance(batch_id, int) else ""
    return {**facts, "campaign": uid} if uid else facts


@lru_cache(maxsize=1024)
def _find_campaign(batch_id: int) -> str:
    uid = Campaign.objects.filter(batch_id=batch_id).values_list("uid", flat=True).first()
    return str(uid) if uid is not None else ""
