"""Says in words what a person said, and what shows it."""

from collections.abc import Mapping
from typing import Final

from postroom.kit.types import JSONValue

_ON_LIST: Final = {
    "subscribed": "Subscribed to the list {}",
    "pending": "Confirmation awaited for the list {}",
    "unsubscribed": "Left the list {}",
}
_ON_CATEGORY: Final = {
    "granted": "Said yes to {}",
    "withdrawn": "Said no to {}",
    "absent": "Word on {} taken back",
}
_ON_ALL: Final = {
    "opted_out": "Opted out of this workspace's mail",
    "opted_in": "Wants this workspace's mail again",
    "opted_out_all": "Opted out of everything",
    "opted_in_all": "Wants mail again",
}
_PROOF: Final = {
    "link_sent_at": "link of {}",
    "message_id": "mail no. {}",
    "ip": "from {}",
    "agent": "with {}",
}


def say_change(state: str, *, list_name: str = "", category_name: str = "") -> str:
    """Return what one entry of the history means."""
    if list_name:
        return _ON_LIST.get(state, "Place on the list {} changed").format(list_name)
    if category_name:
        return _ON_CATEGORY.get(state, "Word on {} changed").format(category_name)
    return _ON_ALL.get(state, state.replace("_", " ").capitalize())


def say_proof(proof: Mapping[str, JSONValue]) -> str:
    """Return what shows that it was said, as far as the door knew; empty when it knew nothing."""
    words = [_PROOF.get(name, name + " {}").format(value) for name, value in proof.items() if value not in ("", None)]
    return ", ".join(words)
