"""What people say of their mail themselves: all of a page in one transaction, through the same acts as every door."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadAddress, NoSuchContact
from postroom.core.contacts.models import Category, Contact, List
from postroom.core.contacts.selectors.people import lock_contact_by_id
from postroom.core.contacts.selectors.preferences import describe_preferences, find_reader
from postroom.core.contacts.services.consent import opt_in, opt_out, put_consent
from postroom.core.contacts.services.memberships import put_member
from postroom.core.contacts.services.proof import Word
from postroom.core.contacts.types import (
    Choices,
    ConsentState,
    MemberStatus,
    OptOutScope,
    PreferenceCard,
    Reach,
    ReaderLink,
)
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, Door
from postroom.kit.types import JSONValue

SOURCE: Final = "preference centre"
_EDGE: Final = Actor(door=Door.EDGE)


@transaction.atomic
def save_preferences(
    *, link: ReaderLink, choices: Choices, proof: Mapping[str, JSONValue], now: datetime
) -> PreferenceCard:
    """Store what a person chose, all of it or nothing, and return what is stored then.

    What they were not offered, and what they left as it was, stays as it is: not ticking a box that was not ticked says
    nothing. The link came to their own address, so a list with double opt-in needs no further confirmation. Raises
    NoSuchContact.
    """
    workspace = Workspace.objects.filter(pk=link.workspace_id).first()
    if workspace is None:
        raise NoSuchContact
    contact = lock_contact_by_id(workspace=workspace, contact_id=link.contact_id)
    card = describe_preferences(link=link)
    word = Word(_EDGE, SOURCE, now, workspace, proof)
    _say_yes(contact, card, choices, word)
    _say_no(contact, card, choices, word)
    _set_reach(contact, card, choices, word)
    return describe_preferences(link=link)


@transaction.atomic
def ask_preference_link(*, workspace: Workspace, email: str, now: datetime) -> None:
    """Have the link to their preference centre sent to an address, if it is a person's here.

    Does the same, and as much, for an address that nobody knows, so that nobody learns who is known.
    """
    try:
        address = rules.normalise_email(email)
    except BadAddress:
        address = ""
    contact_id = find_reader(workspace=workspace, email=address)
    event = NewEvent("preferences.link_wanted", "workspace", workspace.pk, contact_id=contact_id)
    events.record_event(workspace=workspace, event=event, now=now)


def _say_yes(contact: Contact, card: PreferenceCard, choices: Choices, word: Word) -> None:
    wanted = [one.id for one in card.lists if one.uid in choices.lists and not one.is_chosen]
    for list_ in List.objects.filter(pk__in=wanted):
        put_member(contact, list_, MemberStatus.SUBSCRIBED, word)
    allowed = [one.id for one in card.categories if one.uid in choices.categories and not one.is_chosen]
    for category in Category.objects.filter(pk__in=allowed):
        put_consent(contact, category, ConsentState.GRANTED, word)


def _say_no(contact: Contact, card: PreferenceCard, choices: Choices, word: Word) -> None:
    left = tuple(one.id for one in card.lists if one.is_chosen and one.uid not in choices.lists)
    if left:
        _leave(contact, OptOutScope(list_ids=left), word)
    for one in card.categories:
        if one.is_chosen and one.uid not in choices.categories:
            _leave(contact, OptOutScope(category_id=one.id), word)


def _set_reach(contact: Contact, card: PreferenceCard, choices: Choices, word: Word) -> None:
    if choices.reach is card.reach:
        return
    if choices.reach is not Reach.NOTHING and card.reach is not Reach.CHOSEN:
        opt_in(
            workspace=word.workspace,
            contact_id=contact.pk,
            source=word.source,
            actor=word.actor,
            now=word.at,
            proof=word.proof,
        )
    if choices.reach is not Reach.CHOSEN:
        _leave(contact, OptOutScope(is_everything=choices.reach is Reach.NOTHING), word)


def _leave(contact: Contact, scope: OptOutScope, word: Word) -> None:
    opt_out(
        workspace=word.workspace,
        contact_id=contact.pk,
        scope=scope,
        source=word.source,
        actor=word.actor,
        now=word.at,
        proof=word.proof,
    )
