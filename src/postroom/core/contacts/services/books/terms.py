"""Writes of contact books themselves: a second one of a name gets a number, for programs expect to make any."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Lower

from postroom.core.contacts.errors import NameTaken
from postroom.core.contacts.models import List
from postroom.core.contacts.rules.books import DEFAULT_EMOJI, changed_terms, number_name
from postroom.core.contacts.rules.texts import clean_line
from postroom.core.contacts.selectors.lists import get_list_by_uid, list_terms
from postroom.core.contacts.services.lists import make_list, update_list
from postroom.core.contacts.types import BookChanges, ListTerms
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor

_TRIES: Final = 5


@transaction.atomic
def create_book(*, workspace: Workspace, changes: BookChanges, actor: Actor, now: datetime) -> List:
    """Make a contact book, with double opt-in and its default mail unless ``changes`` says otherwise.

    Raises BadValue, and what the letter rules raise (see ``ports``).
    """
    blank = ListTerms(name="", emoji=DEFAULT_EMOJI, is_double_opt_in=True)
    usual = changed_terms(blank, BookChanges(confirm_subject="", confirm_document=""))
    terms = changed_terms(usual, changes)
    return _under_free_name(
        workspace, terms, None, lambda named: make_list(workspace=workspace, terms=named, actor=actor, now=now)
    )


@transaction.atomic
def change_book(*, workspace: Workspace, uid: UUID, changes: BookChanges, actor: Actor, now: datetime) -> List:
    """Change what ``changes`` mentions of a contact book.

    Raises NoSuchList, BadValue, ListInUse, and what the letter rules raise (see ``ports``).
    """
    list_ = get_list_by_uid(workspace=workspace, uid=uid)
    terms = changed_terms(list_terms(list_), changes)
    return _under_free_name(
        workspace,
        terms,
        list_.pk,
        lambda named: update_list(workspace=workspace, list_id=list_.pk, terms=named, actor=actor, now=now),
    )


def _under_free_name(
    workspace: Workspace, terms: ListTerms, own_id: int | None, save: Callable[[ListTerms], List]
) -> List:
    """Save under the name, or under the next that is free; somebody else may take that meanwhile."""
    name = clean_line(terms.name, label="Name")
    others = List.objects.filter(workspace=workspace, name__istartswith=name[:150]).exclude(pk=own_id or 0)
    taken = set(others.values_list(Lower("name"), flat=True))
    names = (one for one in _numbered(name) if one.lower() not in taken)
    for _ in range(_TRIES):
        with suppress(NameTaken), transaction.atomic():
            return save(replace(terms, name=next(names)))
    return save(replace(terms, name=next(names)))


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (number_name(name, number) for number in count(2))
