"""Writes of lists and of who is on them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import BadValue, NameTaken
from postroom.core.contacts.models import List, ListMember
from postroom.core.contacts.selectors.lists import get_list
from postroom.core.contacts.selectors.people import lock_contact_by_id
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.types import MemberStatus
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


@transaction.atomic
def create_list(
    *, workspace: Workspace, name: str, actor: Actor, now: datetime, is_double_opt_in: bool = False
) -> List:
    """Make a list. Raises BadValue for an empty name, NameTaken when the workspace has one of this name."""
    cleaned = rules.clean_line(name, label="Name")
    if not cleaned:
        raise BadValue("A list needs a name.")
    try:
        with transaction.atomic():
            list_ = List.objects.create(
                workspace=workspace, name=cleaned, is_double_opt_in=is_double_opt_in, created_at=now
            )
    except IntegrityError as error:
        raise NameTaken(f"There is already a list called {cleaned!r}.") from error
    events.record_act(
        workspace=workspace,
        actor=actor,
        act=AuditRecord("list.created", "list", list_.pk, after={"name": cleaned}),
        now=now,
    )
    return list_


@transaction.atomic
def set_list_member(
    *,
    workspace: Workspace,
    list_id: int,
    contact_id: int,
    status: MemberStatus,
    source: str,
    actor: Actor,
    now: datetime,
) -> ListMember:
    """Set where a person stands with a list; setting the same again changes nothing.

    Raises NoSuchList or NoSuchContact.
    """
    list_ = get_list(workspace=workspace, list_id=list_id)
    contact = lock_contact_by_id(workspace=workspace, contact_id=contact_id)
    member = ListMember.objects.filter(list=list_, contact=contact).first()
    before = member.status if member else None
    if member is not None and before == status:
        return member
    member = member or ListMember(list=list_, contact=contact, created_at=now)
    member.status, member.source, member.updated_at = status, source[:60], now
    if status is MemberStatus.SUBSCRIBED:
        member.confirmed_at = now
    member.save()
    keep_proof(contact, Word(actor, source, now), state=status, list_id=list_.pk)
    act = AuditRecord(
        "contact.list_status_changed", "list_member", member.pk, before={"status": before}, after={"status": status}
    )
    data: JSONObject = {"list_id": list_.pk, "status": status.value}
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact.pk, data=data)
    return member
