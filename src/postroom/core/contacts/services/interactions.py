"""Writes of what passed between a person and the team."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, NotYourInteraction
from postroom.core.contacts.models import Interaction
from postroom.core.contacts.selectors.interactions import get_interaction
from postroom.core.contacts.selectors.people import lock_contact
from postroom.core.contacts.types import InteractionType, NewInteraction
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject

MAX_BODY: Final = 20_000
_COLUMNS: Final = ("type", "subject", "body", "occurred_at", "is_team_visible")


@transaction.atomic
def add_interaction(
    *, workspace: Workspace, contact_uid: UUID, new: NewInteraction, actor: Actor, now: datetime
) -> Interaction:
    """Write down a note, a call, a meeting. Raises NoSuchContact, or BadValue when there is nothing in it.

    What a connected system brings twice (``source_id``) is stored once.
    """
    contact = lock_contact(workspace=workspace, uid=contact_uid)
    if new.source_id is not None:
        known = Interaction.objects.filter(workspace=workspace, source_id=new.source_id).first()
        if known is not None:
            return known
    row = Interaction(workspace=workspace, contact=contact, created_by_id=actor.user_id, created_at=now)
    row.source_id, row.metadata, row.updated_at = new.source_id, dict(new.metadata), now
    _fill(row, new, now)
    row.save()
    _record(row, "interaction.added", actor, now)
    return row


@transaction.atomic
def edit_interaction(
    *,
    workspace: Workspace,
    uid: UUID,
    new: NewInteraction,
    actor: Actor,
    now: datetime,
    is_admin: bool = False,
) -> Interaction:
    """Write an interaction anew; its author may, and an administrator. Raises NoSuchInteraction, NotYourInteraction or
    BadValue.
    """
    row = _lock_own(workspace, uid, actor, is_admin=is_admin)
    before = [getattr(row, name) for name in _COLUMNS]
    _fill(row, new, row.occurred_at)
    changed = [name for name, old in zip(_COLUMNS, before, strict=True) if getattr(row, name) != old]
    if changed:
        row.updated_at = now
        row.save(update_fields=[*_COLUMNS, "updated_at"])
        _record(row, "interaction.updated", actor, now, changed=changed)
    return row


@transaction.atomic
def delete_interaction(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime, is_admin: bool = False) -> None:
    """Take an interaction away; its author may, and an administrator. Raises NoSuchInteraction, NotYourInteraction."""
    row = _lock_own(workspace, uid, actor, is_admin=is_admin)
    _record(row, "interaction.deleted", actor, now)
    row.delete()


def _lock_own(workspace: Workspace, uid: UUID, actor: Actor, *, is_admin: bool) -> Interaction:
    row = get_interaction(workspace=workspace, uid=uid, viewer_id=actor.user_id)
    if not is_admin and (actor.user_id is None or row.created_by_id != actor.user_id):
        raise NotYourInteraction
    lock_contact(workspace=workspace, uid=row.contact.uid)
    return row


def _fill(row: Interaction, new: NewInteraction, default_at: datetime) -> None:
    row.type = InteractionType(new.type)
    row.subject = rules.clean_line(new.subject, label="Subject", max_length=500)
    row.body = rules.clean_text(new.body, label="Text", max_length=MAX_BODY)
    row.occurred_at = new.occurred_at or default_at
    row.is_team_visible = new.is_team_visible
    if not (row.subject or row.body):
        raise BadValue("Write a subject or a text.")


def _record(row: Interaction, name: str, actor: Actor, now: datetime, *, changed: list[str] | None = None) -> None:
    """No word of what was written goes anywhere else: it is about a person, and may be private."""
    data: JSONObject = {"type": row.type} | ({"changed": [*changed]} if changed else {})
    events.record_act(
        workspace=row.workspace,
        actor=actor,
        act=AuditRecord(name, "interaction", row.pk, after=data),
        now=now,
        contact_id=row.contact_id,
        data=data,
    )
