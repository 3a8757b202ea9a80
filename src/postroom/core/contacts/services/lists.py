"""Writes of lists."""

from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from postroom.core.contacts import ports, rules
from postroom.core.contacts.errors import BadValue, ListInUse, NameTaken
from postroom.core.contacts.models import List
from postroom.core.contacts.rules.books import CONFIRM_URL, clean_properties, clean_variables, has_confirm_url
from postroom.core.contacts.selectors.lists import list_terms, lock_list
from postroom.core.contacts.selectors.segment_uses import segments_using_list
from postroom.core.contacts.types import ListTerms
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

SUBJECT_LENGTH = 200
TEXT_LENGTH = 2_000
FROM_LENGTH = 600
EMOJI_LENGTH = 20


@transaction.atomic
def create_list(
    *, workspace: Workspace, name: str, actor: Actor, now: datetime, is_double_opt_in: bool = False
) -> List:
    """Make a list. Raises BadValue for an empty name, NameTaken when the workspace has one of this name."""
    terms = ListTerms(name=name, is_double_opt_in=is_double_opt_in)
    return make_list(workspace=workspace, terms=terms, actor=actor, now=now)


@transaction.atomic
def make_list(*, workspace: Workspace, terms: ListTerms, actor: Actor, now: datetime) -> List:
    """Make a list on these terms. Raises BadValue or NameTaken, and what the letter rules raise (see ``ports``)."""
    list_ = List(workspace=workspace, created_at=now)
    _save(list_, terms, now)
    act = AuditRecord("list.created", "list", list_.pk, after={"name": list_.name})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return list_


@transaction.atomic
def update_list(*, workspace: Workspace, list_id: int, terms: ListTerms, actor: Actor, now: datetime) -> List:
    """Change what a list is called and how people come onto it; who is on it stays.

    Raises NoSuchList, BadValue or NameTaken; ListInUse for a new name while segments know it by the old one; what the
    letter rules raise (see ``ports``) for a confirmation that is not fit to be sent.
    """
    list_ = lock_list(workspace=workspace, list_id=list_id)
    before: JSONObject = asdict(list_terms(list_))
    if terms.name.strip().lower() != list_.name.lower():
        _refuse_while_asked_about(workspace, list_, by_name=True)
    _save(list_, terms, now)
    act = AuditRecord("list.updated", "list", list_.pk, before=before, after=asdict(list_terms(list_)))
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return list_


@transaction.atomic
def delete_list(*, workspace: Workspace, list_id: int, actor: Actor, now: datetime) -> None:
    """Forget a list, who was on it and when they said so; the people stay.

    Raises NoSuchList; ListInUse, with names, while campaigns or segments need it.
    """
    list_ = lock_list(workspace=workspace, list_id=list_id)
    _refuse_while_asked_about(workspace, list_, by_name=False)
    try:
        with transaction.atomic():
            List.objects.filter(pk=list_.pk).delete()
    except ProtectedError as error:
        names = sorted({str(getattr(one, "campaign", one)) for one in error.protected_objects})
        raise ListInUse(f"The list {list_.name!r} is used by the campaign {_quoted(names)}.") from error
    act = AuditRecord("list.deleted", "list", list_id, before={"name": list_.name})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


def _refuse_while_asked_about(workspace: Workspace, list_: List, *, by_name: bool) -> None:
    segments = segments_using_list(workspace=workspace, list_id=list_.pk, by_name=by_name)
    if using := [one.name for one in segments]:
        raise ListInUse(f"The list {list_.name!r} is part of the segment {_quoted(using)}; change that first.")


def _save(list_: List, terms: ListTerms, now: datetime) -> None:
    list_.name = rules.clean_line(terms.name, label="Name")
    list_.description = rules.clean_line(terms.description, label="Description", max_length=500)
    list_.is_public, list_.is_double_opt_in = terms.is_public, terms.is_double_opt_in
    list_.confirm_subject = rules.clean_line(terms.confirm_subject, label="Subject", max_length=SUBJECT_LENGTH)
    list_.confirm_text = rules.clean_text(terms.confirm_text, label="Text", max_length=TEXT_LENGTH)
    if not list_.name:
        raise BadValue("A list needs a name.", field="name")
    _put_letter(list_, terms, now)
    list_.emoji = rules.clean_line(terms.emoji, label="Emoji", max_length=EMOJI_LENGTH)
    list_.properties = clean_properties(terms.properties)
    list_.variables = [*clean_variables(terms.variables)]
    list_.updated_at = now
    try:
        with transaction.atomic():
            list_.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a list called {list_.name!r}.") from error


def _put_letter(list_: List, terms: ListTerms, now: datetime) -> None:
    """Keep who the mail that asks is from, and its document; what stood there already is not judged anew."""
    sender = rules.clean_line(terms.confirm_from, label="From", max_length=FROM_LENGTH)
    document = terms.confirm_document.strip()
    if sender and sender != list_.confirm_from:
        ports.letter_rules().check_from(list_.workspace, sender, now)
    if document and document != list_.confirm_document:
        if not has_confirm_url(document):
            raise BadValue(f"The mail that asks needs a link to {{{{{CONFIRM_URL}}}}}.", field="confirm_document")
        ports.letter_rules().check_document(document)
    list_.confirm_from, list_.confirm_document = sender, document


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
