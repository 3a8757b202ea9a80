"""Double opt-in: asking people by mail whether they want to be on a list, and writing down that they do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db import transaction

from postroom.core.contacts import jobs
from postroom.core.contacts.errors import ConfirmationNotWanted, ConfirmationTooSoon, NoSuchList
from postroom.core.contacts.models import List, ListMember
from postroom.core.contacts.rules.links import AGAIN_AFTER
from postroom.core.contacts.selectors.confirmations import describe_confirmation, is_opted_out, is_time_to_ask
from postroom.core.contacts.selectors.lists import get_list
from postroom.core.contacts.selectors.people import lock_contact_by_id
from postroom.core.contacts.services.memberships import put_member, want_confirmation, want_confirmations
from postroom.core.contacts.services.proof import Word
from postroom.core.contacts.types import Confirmation, ConfirmLink, MemberStatus, Standing
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Actor, AuditRecord, Door
from postroom.kit.types import JSONObject, JSONValue

ASKED_AT_ONCE: Final = 1_000
_EDGE: Final = Actor(door=Door.EDGE)


@transaction.atomic
def confirm_membership(*, link: ConfirmLink, proof: Mapping[str, JSONValue], now: datetime) -> Confirmation:
    """Write down that the owner of an address wants what somebody entered it for; return what became of the link.

    Whoever opted out since is not brought back, a link that was used before changes nothing. Raises NoSuchList or
    NoSuchContact when there is nothing to confirm any more.
    """
    _lock_person(link)
    found = describe_confirmation(link=link, now=now)
    if found.standing is not Standing.WAITING:
        return found
    member = _get_member(link.list_id, found.contact_id)
    kept: JSONObject = {"link_sent_at": link.sent_at.isoformat(), **proof}
    word = Word(_EDGE, "confirmation link", now, member.list.workspace, kept)
    put_member(member.contact, member.list, MemberStatus.SUBSCRIBED, word)
    return describe_confirmation(link=link, now=now)


@transaction.atomic
def renew_confirmation(*, link: ConfirmLink, now: datetime) -> Confirmation:
    """Send a person who kept an old link a new one, if it is time; return what the old one is about.

    Raises NoSuchList or NoSuchContact when there is nothing to confirm any more.
    """
    _lock_person(link)
    found = describe_confirmation(link=link, now=now)
    member = _get_member(link.list_id, found.contact_id)
    if found.standing is Standing.EXPIRED and is_time_to_ask(member, now):
        want_confirmation(member, Word(_EDGE, "expired link", now, member.list.workspace))
    return found


@transaction.atomic
def ask_confirmation(*, workspace: Workspace, list_id: int, contact_id: int, actor: Actor, now: datetime) -> None:
    """Send a person who has not answered the question once more.

    Raises NoSuchList or NoSuchContact; ConfirmationNotWanted when there is nothing to confirm; ConfirmationTooSoon.
    """
    list_ = get_list(workspace=workspace, list_id=list_id)
    contact = lock_contact_by_id(workspace=workspace, contact_id=contact_id)
    member = ListMember.objects.select_related("list").filter(list=list_, contact=contact).first()
    if member is None or member.status != MemberStatus.PENDING or not contact.email:
        raise ConfirmationNotWanted("There is nothing for this person to confirm on this list.")
    if is_opted_out(list_, contact):
        raise ConfirmationNotWanted(
            "This person wants no mail of this workspace; only they themselves can change that."
        )
    if not is_time_to_ask(member, now):
        raise ConfirmationTooSoon(f"The last one went out less than {AGAIN_AFTER.seconds // 60} minutes ago.")
    want_confirmation(member, Word(actor, "asked again", now, workspace))


@transaction.atomic
def ask_confirmations(*, workspace: Workspace, list_id: int, actor: Actor, now: datetime) -> None:
    """Have everybody who waits on a list and was never asked be asked, by a job. Raises NoSuchList."""
    list_ = get_list(workspace=workspace, list_id=list_id)
    act = AuditRecord("list.confirmations_wanted", "list", list_.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)
    jobs.defer_ask_confirmations(list_id=list_.pk)


def run_confirmations(*, list_id: int, clock: Callable[[], datetime]) -> int:
    """Ask everybody on a list who is pending and was never asked; return how many. A killed run simply goes on."""
    list_ = List.objects.select_related("workspace").filter(pk=list_id).first()
    asked = 0
    while list_ is not None and (count := _ask_some(list_, clock())):
        asked += count
    return asked


@transaction.atomic
def _ask_some(list_: List, now: datetime) -> int:
    """Mark and ask the next of them in one transaction, so that nobody is asked twice."""
    waiting = ListMember.objects.select_for_update(skip_locked=True).filter(
        list=list_, status=MemberStatus.PENDING, confirmation_sent_at=None
    )
    members = list(waiting.order_by("pk")[:ASKED_AT_ONCE])
    want_confirmations(members, Word(SYSTEM, "never asked", now, list_.workspace))
    return len(members)


def _lock_person(link: ConfirmLink) -> None:
    """Everything that is said of a person is said under this lock."""
    list_ = List.objects.select_related("workspace").filter(pk=link.list_id).first()
    if list_ is None:
        raise NoSuchList
    lock_contact_by_id(workspace=list_.workspace, contact_id=link.contact_id)


def _get_member(list_id: int, contact_id: int) -> ListMember:
    return ListMember.objects.select_related("list__workspace", "contact").get(list_id=list_id, contact_id=contact_id)
