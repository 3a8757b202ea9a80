"""Puts people into a contact book, one or a thousand by the same few statements.

Who they are is merged as an import merges it; nobody who left is brought back, and on a book with double opt-in they
are asked by mail.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from postroom.core.contacts.errors import BadAddress, BadContact, BadValue
from postroom.core.contacts.models import ConsentChange, Contact, List, ListMember
from postroom.core.contacts.rules.addresses import normalise_email
from postroom.core.contacts.rules.books import clean_properties, spell_keys
from postroom.core.contacts.rules.import_lines import StagedPerson, stage_people
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS, ImportedPerson
from postroom.core.contacts.rules.texts import clean_line
from postroom.core.contacts.selectors.books import find_mailable, hold_book
from postroom.core.contacts.selectors.confirmations import is_time_to_ask
from postroom.core.contacts.services.books.telling import BookNews, tell_news
from postroom.core.contacts.services.imports.known import KnownPerson, find_known
from postroom.core.contacts.services.imports.merge import merge_people
from postroom.core.contacts.services.imports.target import MergeTarget
from postroom.core.contacts.services.memberships import want_confirmations
from postroom.core.contacts.services.proof import Word
from postroom.core.contacts.types import BookEntry, ImportMapping, MemberStatus
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor
from postroom.kit.arrays import array_text
from postroom.kit.types import UNSET

_KEEP: Final = """
UPDATE contacts_listmember m SET properties = x.properties, updated_at = %s
FROM unnest(%s::bigint[], %s::jsonb[]) AS x(id, properties) WHERE m.id = x.id
"""
_NAMES: Final = ("first_name", "last_name")


class _Said(NamedTuple):
    """What is said of one address, ready to be merged."""

    person: ImportedPerson
    properties: dict[str, str]


@transaction.atomic
def put_book_contacts(
    *, workspace: Workspace, list_uid: UUID, entries: Sequence[BookEntry], actor: Actor, now: datetime
) -> list[UUID]:
    """Add people to a contact book, or change what is known of those in it; return whom each entry became.

    An address that is named twice is one person, of whom the later entry counts. All of it is done or, when an entry is
    wrong, nothing. Raises NoSuchList, BadAddress or BadValue; BadContact for somebody who is being erased.
    """
    list_ = hold_book(workspace=workspace, uid=list_uid)
    said = [_read(entry, list_, number if len(entries) > 1 else None) for number, entry in enumerate(entries)]
    word = Word(actor, f"{actor.door} API", now, workspace)
    target = MergeTarget(workspace, ImportMapping(columns={}, list_id=list_.pk), word.source, actor, now)
    people = stage_people((number, one.person) for number, one in enumerate(said))
    known = find_known(people, target)
    before = _members(list_, known)
    merged = merge_people(_held_back(people, known, before, list_), target)
    if merged.refused:
        raise BadContact(merged.refused[0].reason)
    found = find_known(people, target)
    members = _members(list_, found)
    kept = _keep_properties(_properties(said, found), members, now)
    news = BookNews(
        list_=list_,
        members=members,
        created=frozenset(merged.created_ids),
        added=frozenset(members.keys() - before.keys()),
        changed=_changes(known, found, kept, before, members),
        before={key: member.status for key, member in before.items()},
    )
    tell_news(news, word, act="list.contacts_put")
    _ask(list_, members, word)
    uids = dict(Contact.objects.filter(pk__in=members).values_list("pk", "uid"))
    return [uids[found[one.person.email or ""].id] for one in said]


def _read(entry: BookEntry, list_: List, number: int | None) -> _Said:
    """Return what an entry says. Raises BadAddress or BadValue, which name it where there are several."""
    try:
        lines = dict.fromkeys(LINE_LENGTHS, "")
        for name in _NAMES:
            if (text := getattr(entry, name)) is not UNSET:
                lines[name] = clean_line(text, label=name.replace("_", " ").capitalize(), max_length=LINE_LENGTHS[name])
        email = normalise_email(entry.email)
        properties = spell_keys(clean_properties(entry.properties), list_.variables)
    except (BadAddress, BadValue) as error:
        if number is None:
            raise
        raise type(error)(f"Contact {number}: {error.message}") from error
    lists = ((list_.name, MemberStatus.UNSUBSCRIBED.value),) if entry.is_subscribed is False else ()
    return _Said(ImportedPerson(email, tuple(lines.values()), {}, lists=lists), properties)


def _members(list_: List, people: Mapping[str, KnownPerson]) -> dict[int, ListMember]:
    rows = ListMember.objects.filter(list=list_, contact_id__in=[one.id for one in people.values()])
    return {row.contact_id: row for row in rows}


def _held_back(
    people: Sequence[StagedPerson], known: Mapping[str, KnownPerson], before: Mapping[int, ListMember], list_: List
) -> list[StagedPerson]:
    """Return the people, those marked who once left and were then taken off the book: their word outlives that."""
    gone = {one.id for one in known.values()} - before.keys()
    words = ConsentChange.objects.filter(list=list_, contact_id__in=gone).order_by("contact_id", "-pk")
    last = dict(words.distinct("contact_id").values_list("contact_id", "state")) if gone else {}
    stay = ((list_.name, MemberStatus.UNSUBSCRIBED.value),)
    return [
        person._replace(lists=stay)
        if (one := known.get(person.email or "")) and last.get(one.id) == MemberStatus.UNSUBSCRIBED
        else person
        for person in people
    ]


def _properties(said: Sequence[_Said], found: Mapping[str, KnownPerson]) -> dict[int, dict[str, str]]:
    """Return what is said of each person, later entries last."""
    properties: dict[int, dict[str, str]] = {}
    for one in said:
        properties.setdefault(found[one.person.email or ""].id, {}).update(one.properties)
    return properties


def _keep_properties(
    properties: Mapping[int, dict[str, str]], members: Mapping[int, ListMember], now: datetime
) -> set[int]:
    """Add properties to those that members have, and return whose changed; ``members`` follow. Raises BadValue."""
    changed: dict[int, ListMember] = {}
    for key, said in properties.items():
        member = members[key]
        if (kept := {**member.properties, **said}) != member.properties:
            member.properties, member.updated_at = clean_properties(kept), now
            changed[key] = member
    if changed:
        rows = [Jsonb(member.properties) for member in changed.values()]
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [now, array_text(member.pk for member in changed.values()), rows])
    return set(changed)


def _changes(
    known: Mapping[str, KnownPerson],
    found: Mapping[str, KnownPerson],
    kept: set[int],
    before: Mapping[int, ListMember],
    members: Mapping[int, ListMember],
) -> dict[int, list[str]]:
    """Return what changed of those who were in the book already, in the names of fields."""
    changes = {one.id: [*_renamed(one, found[email])] for email, one in known.items() if one.id in before}
    for key, names in changes.items():
        names += ["properties"] if key in kept else []
        names += ["status"] if members[key].status != before[key].status else []
    return {key: names for key, names in changes.items() if names}


def _renamed(before: KnownPerson, after: KnownPerson) -> Iterator[str]:
    return (name for name in _NAMES if getattr(before, name) != getattr(after, name))


def _ask(list_: List, members: Mapping[int, ListMember], word: Word) -> None:
    """Have those asked who wait to be, unless they were a moment ago or want no mail of the workspace at all."""
    due = {
        key: one
        for key, one in members.items()
        if list_.is_double_opt_in and one.status == MemberStatus.PENDING and is_time_to_ask(one, word.at)
    }
    if due:
        willing = find_mailable(workspace=word.workspace, list_id=list_.pk, contact_ids=due, as_subscribed=True)
        want_confirmations([one for key, one in due.items() if key in willing], word)
