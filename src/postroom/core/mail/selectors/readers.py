"""What templates may say of the readers of messages."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from postroom.core.contacts import selectors as contacts
from postroom.core.mail.models import Message
from postroom.kit.types import JSONValue


def load_readers(*, messages: Iterable[Message]) -> dict[int, Mapping[str, JSONValue]]:
    """Return what is known of each message's reader, and of them as a member of its lists, by the message's key; one
    statement for each set of lists. Messages to nobody we know are absent.
    """
    known: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for row in messages:
        if row.contact_id is not None:
            known[tuple(row.list_ids)].append((row.pk, row.contact_id))
    found: dict[int, Mapping[str, JSONValue]] = {}
    for list_ids, part in known.items():
        profiles = contacts.load_profiles(contact_ids={contact_id for _, contact_id in part}, list_ids=list_ids)
        found.update((key, profiles.get(contact_id, {})) for key, contact_id in part)
    return found
