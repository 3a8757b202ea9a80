"""Writes of who is on a list. On a list with double opt-in nobody is subscribed by another's hand: they are asked."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from postroom.core.contacts.errors import NoSuchList
from postroom.core.contacts.models import Contact, List, ListMember
from postroom.core.contacts.selectors.lists import get_list, hold_lists
from postroom.core.contacts.selectors.people import lock_contact_by_id
from postroom.core.contacts.services.proof import Word, keep_proof
from postroom.core.contacts.services.telling import CREATED, UPDATED, tell_members
from postroom.core.contacts.types import MemberStatus
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.types import JSONObject


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

    On a list with double opt-in ``subscribed`` becomes ``pending``, and the person is asked by mail, once: asking again
    is for ``ask_confirmation``. Raises NoSuchList or NoSuchContact.
    """
    list_ = get_list(workspace=workspace, list_id=list_id)
    contact = lock_contact_by_id(workspace=workspace, contact_id=contact_id)
    known = ListMember.objects.filter(list=list_, contact=contact).first()
    must_ask = list_.is_double_opt_in and status is MemberStatus.SUBSCRIBED
    if must_ask and known is not None and known.status == MemberStatus.SUBSCRIBED:
        return known
    word = Word(actor, source, now, workspace)
    member, has_changed = put_member(contact, list_, MemberStatus.PENDING if must_ask else status, word)
    if must_ask and has_changed:
        want_confirmation(member, word)
    return member


def put_member(contact: Contact, list_: List, status: MemberStatus, word: Word) -> tuple[ListMember, bool]:
    """Write a person's standing with its history, and return whether that was news; ``contact`` is locked.

    That somebody is off the list is news where a bulk change took them off: its undo does not bring them back then.
    Raises NoSuchList when the list was deleted meanwhile.
    """
    if not hold_lists(workspace=word.workspace, list_ids=[list_.pk]):
        raise NoSuchList(id=list_.pk)
    member = ListMember.objects.filter(list=list_, contact=contact).first()
    before = member.status if member else None
    if member is not None and before == status and not member.is_taken_off:
        return member, False
    member = member or ListMember(list=list_, contact=contact, created_at=word.at)
    member.status, member.source, member.updated_at = status, word.source[:60], word.at
    if status is MemberStatus.SUBSCRIBED:
        member.confirmed_at = word.at
    member.save()
    keep_proof(contact, word, state=status, list_id=list_.pk)
    act = AuditRecord(
        "contact.list_status_changed", "list_member", member.pk, before={"status": before}, after={"status": status}
    )
    data: JSONObject = {"list_id": list_.pk, "status": status.value}
    events.record_act(
        workspace=word.workspace, actor=word.actor, act=act, now=word.at, contact_id=contact.pk, data=data
    )
    what = CREATED if before is None else UPDATED
    tell_members(workspace_id=word.workspace.pk, contact_ids=(contact.pk,), what=what, now=word.at, list_id=list_.pk)
    return member, True


def want_confirmations(members: Sequence[ListMember], word: Word) -> None:
    """Have many people asked by mail, by a few statements however many they are."""
    if not members:
        return
    waiting = ListMember.objects.filter(pk__in=[one.pk for one in members])
    waiting.update(confirmation_sent_at=word.at, confirmation_count=F("confirmation_count") + 1)
    wanted = [
        NewEvent(
            "list.confirmation_wanted",
            "list_member",
            one.pk,
            contact_id=one.contact_id,
            data={"list_id": one.list_id},
        )
        for one in members
    ]
    events.record_events(workspace=word.workspace, events=wanted, now=word.at)


def want_confirmation(member: ListMember, word: Word) -> None:
    """Have the person asked by mail; whoever listens writes it."""
    member.confirmation_sent_at, member.confirmation_count = word.at, member.confirmation_count + 1
    member.save(update_fields=["confirmation_sent_at", "confirmation_count"])
    act = AuditRecord("list.confirmation_wanted", "list_member", member.pk)
    data: JSONObject = {"list_id": member.list_id}
    events.record_act(
        workspace=word.workspace, actor=word.actor, act=act, now=word.at, contact_id=member.contact_id, data=data
    )
