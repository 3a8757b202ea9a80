"""Changes what is known of one person in a contact book, and takes people out of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from postroom.core.contacts.errors import NoSuchContact
from postroom.core.contacts.models import Contact, List, ListMember
from postroom.core.contacts.rules.books import clean_properties, spell_keys
from postroom.core.contacts.selectors.books import find_mailable, hold_book
from postroom.core.contacts.selectors.confirmations import is_time_to_ask
from postroom.core.contacts.selectors.people import lock_contact, visible_people
from postroom.core.contacts.services.books.telling import BookNews, tell_news, tell_removed
from postroom.core.contacts.services.memberships import set_list_member, want_confirmations
from postroom.core.contacts.services.people import update_contact
from postroom.core.contacts.services.proof import Word
from postroom.core.contacts.types import BookContactChanges, ContactChanges, MemberStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.types import UNSET, Unset


@transaction.atomic
def change_book_contact(
    *, workspace: Workspace, list_uid: UUID, uid: UUID, changes: BookContactChanges, actor: Actor, now: datetime
) -> UUID:
    """Change what ``changes`` mentions of a person in a contact book; return who they are now.

    Raises NoSuchList, NoSuchContact or BadValue.
    """
    list_ = hold_book(workspace=workspace, uid=list_uid)
    contact = lock_contact(workspace=workspace, uid=uid)
    word = Word(actor, f"{actor.door} API", now, workspace)
    if not ListMember.objects.filter(list=list_, contact=contact).exists():
        raise NoSuchContact(uid=uid)
    names = ContactChanges(first_name=changes.first_name, last_name=changes.last_name)
    contact = update_contact(workspace=workspace, uid=contact.uid, changes=names, actor=actor, now=now)
    _wish(list_, contact, changes.is_subscribed, word)
    _add_properties(list_, contact, changes, word)
    return contact.uid


@transaction.atomic
def remove_book_contacts(
    *, workspace: Workspace, list_uid: UUID, uids: Sequence[UUID], actor: Actor, now: datetime
) -> int:
    """Take people out of a contact book and return how many were in it; they stay contacts of the workspace.

    What they said of the book is kept with them: whoever had left is not subscribed when they are put there again.
    Raises NoSuchList.
    """
    list_ = hold_book(workspace=workspace, uid=list_uid)
    people = visible_people(workspace=workspace).filter(uid__in=uids)
    ids = list(people.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    members = list(ListMember.objects.filter(list=list_, contact_id__in=ids).select_related("contact"))
    ListMember.objects.filter(pk__in=[one.pk for one in members]).delete()
    if members:
        tell_removed(list_, members, Word(actor, f"{actor.door} API", now, workspace))
    return len(members)


def _wish(list_: List, contact: Contact, is_subscribed: bool | Unset, word: Word) -> None:
    """Follow the wish as far as the person's own word, and what is held against their address, let it."""
    if is_subscribed is UNSET:
        return
    status = MemberStatus.SUBSCRIBED if is_subscribed else MemberStatus.UNSUBSCRIBED
    if is_subscribed and not find_mailable(
        workspace=word.workspace, list_id=list_.pk, contact_ids=(contact.pk,), as_subscribed=True
    ):
        return
    member = set_list_member(
        workspace=word.workspace,
        list_id=list_.pk,
        contact_id=contact.pk,
        status=status,
        source=word.source,
        actor=word.actor,
        now=word.at,
    )
    if member.status == MemberStatus.PENDING and is_time_to_ask(member, word.at):
        want_confirmations([member], word)


def _add_properties(list_: List, contact: Contact, changes: BookContactChanges, word: Word) -> None:
    member = ListMember.objects.get(list=list_, contact=contact)
    said = spell_keys(clean_properties(changes.properties), list_.variables)
    if (kept := {**member.properties, **said}) == member.properties:
        return
    member.properties, member.updated_at = clean_properties(kept), word.at
    member.save(update_fields=["properties", "updated_at"])
    news = BookNews(
        list_, {contact.pk: member}, changed={contact.pk: ["properties"]}, before={contact.pk: member.status}
    )
    tell_news(news, word, act="list.contacts_put")
