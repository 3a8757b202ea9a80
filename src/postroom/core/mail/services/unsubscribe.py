"""A reader leaves what one message belonged to."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import BadAddress
from postroom.core.contacts.models import List
from postroom.core.contacts.types import OptOutScope, SuppressionReason, SuppressionScope
from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.selectors.addressees import Addressee, find_addressee
from postroom.core.mail.selectors.mailings import Mailing, find_mailing
from postroom.core.mail.services.hits import store_hits
from postroom.core.mail.types import EventType, Hit
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.errors import NotFound
from postroom.kit.types import JSONValue

_EDGE = Actor(door=Door.EDGE)


@dataclass(frozen=True, slots=True)
class _Said:
    """How and when the reader said so, and what shows it."""

    source: str
    at: datetime
    proof: Mapping[str, JSONValue]


@transaction.atomic
def unsubscribe_message(
    *,
    message_id: int,
    source: str,
    now: datetime,
    is_everything: bool = False,
    proof: Mapping[str, JSONValue] | None = None,
) -> Mailing:
    """Opt the reader of a message out of its lists and category, or of all mail of the workspace when it names neither
    or ``is_everything``; the very next sending obeys. Safe to repeat. Raises NoSuchMessage.
    """
    addressee = find_addressee(message_id=message_id)
    if addressee is None:
        raise NoSuchMessage
    said = _Said(source, now, {"message_id": message_id, **(proof or {})})
    if not _opt_out(addressee, OptOutScope() if is_everything else _scope(addressee), said):
        _suppress(addressee, source, now)
    hit = Hit(key=f"unsubscribe-{message_id}", type=EventType.UNSUBSCRIBED, message_id=message_id, at=now)
    store_hits(hits=[hit])
    return find_mailing(message_id=message_id)


def _scope(addressee: Addressee) -> OptOutScope:
    """What the message rests on, without lists that are gone since; with nothing left of it, the whole workspace."""
    lists = List.objects.filter(workspace=addressee.workspace, pk__in=addressee.fence.list_ids)
    return OptOutScope(tuple(lists.values_list("pk", flat=True)), addressee.fence.category_id)


def _opt_out(addressee: Addressee, scope: OptOutScope, said: _Said) -> bool:
    """Answer False when the person is not (or no longer) among the contacts."""
    if addressee.contact_id is None:
        return False
    try:
        with transaction.atomic():
            contacts.opt_out(
                workspace=addressee.workspace,
                contact_id=addressee.contact_id,
                scope=scope,
                source=said.source,
                actor=_EDGE,
                now=said.at,
                proof=said.proof,
            )
    except NotFound:
        return False
    return True


def _suppress(addressee: Addressee, source: str, now: datetime) -> None:
    with suppress(BadAddress):  # somebody erased meanwhile has no address any more, and is never mailed again
        contacts.suppress_address(
            workspace=addressee.workspace,
            email=addressee.email,
            scope=SuppressionScope.WORKSPACE,
            reason=SuppressionReason.UNSUBSCRIBED,
            detail=source,
            actor=_EDGE,
            now=now,
        )
