"""Writes of lists."""

from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, ListInUse, NameTaken
from postroom.core.contacts.models import List
from postroom.core.contacts.selectors.lists import list_terms, lock_list
from postroom.core.contacts.selectors.segment_uses import segments_using_list
from postroom.core.contacts.types import ListTerms
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

SUBJECT_LENGTH = 200
TEXT_LENGTH = 2_000


@transaction.atomic
def create_list(
    *, workspace: Workspace, name: str, actor: Actor, now: datetime, is_double_opt_in: bool = False
) -> List:
    """Make a list. Raises BadValue for an empty name, NameTaken when the workspace has one of this name."""
    list_ = List(workspace=workspace, created_at=now)
    _save(list_, ListTerms(name=name, is_double_opt_in=is_double_opt_in))
    act = AuditRecord("list.created", "list", list_.pk, after={"name": list_.name})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    return list_


@transaction.atomic
def update_list(*, workspace: Workspace, list_id: int, terms: ListTerms, actor: Actor, now: datetime) -> List:
    """Change what a list is called and how people come onto it; who is on it stays.

    Raises NoSuchList, BadValue or NameTaken; ListInUse for a new name while segments know it by the old one.
    """
    list_ = lock_list(workspace=workspace, list_id=list_id)
    before: JSONObject = asdict(list_terms(list_))
    if terms.name.strip().lower() != list_.name.lower():
        _refuse_while_asked_about(workspace, list_, by_name=True)
    _save(list_, terms)
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


def _save(list_: List, terms: ListTerms) -> None:
    list_.name = rules.clean_line(terms.name, label="Name")
    list_.description = rules.clean_line(terms.description, label="Description", max_length=500)
    list_.is_public, list_.is_double_opt_in = terms.is_public, terms.is_double_opt_in
    list_.confirm_subject = rules.clean_line(terms.confirm_subject, label="Subject", max_length=SUBJECT_LENGTH)
    list_.confirm_text = rules.clean_text(terms.confirm_text, label="Text", max_length=TEXT_LENGTH)
    if not list_.name:
        raise BadValue("A list needs a name.")
    try:
        with transaction.atomic():
            list_.save()
    except IntegrityError as error:
        raise NameTaken(f"There is already a list called {list_.name!r}.") from error


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
