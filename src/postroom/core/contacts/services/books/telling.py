"""Writes down what became of people in a contact book, by a few statements however many they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from postroom.core.contacts.models import ConsentChange, List, ListMember
from postroom.core.contacts.services.proof import Word
from postroom.core.contacts.services.telling import (
    CREATED,
    UPDATED,
    tell_gone_members,
    tell_members,
    tell_people,
)
from postroom.core.contacts.types import MemberStatus
from postroom.core.events import services as events
from postroom.core.events.types import NewEvent
from postroom.core.workspaces.types import AuditRecord
from postroom.kit.types import JSONObject


@dataclass(frozen=True, slots=True)
class BookNews:
    """What became of the people of one act, by their keys: new to everybody, new in the book, otherwise changed.

    ``before`` is where those who were in the book stood with it.
    """

    list_: List
    members: Mapping[int, ListMember]
    created: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    changed: Mapping[int, Collection[str]] = field(default_factory=dict)
    before: Mapping[int, str] = field(default_factory=dict)


def tell_news(news: BookNews, word: Word, *, act: str) -> None:
    """Append one row to the audit trail, a fact for each person, and the proof of each new standing."""
    after: JSONObject = {"added": len(news.added), "changed": len(news.changed)}
    record = AuditRecord(act, "list", news.list_.pk, after=after)
    events.record_act(workspace=word.workspace, actor=word.actor, act=record, now=word.at)
    events.record_events(workspace=word.workspace, events=_facts(news), now=word.at)
    # That somebody left is proved where they are merged into the list.
    proofs = [_proof(one, word) for one in _moved(news) if one.status != MemberStatus.UNSUBSCRIBED]
    ConsentChange.objects.bulk_create(proofs, batch_size=1_000)
    _tell_webhooks(news, word)


def _tell_webhooks(news: BookNews, word: Word) -> None:
    room = word.workspace.pk
    changed = {*news.changed, *(one.contact_id for one in _moved(news))} - news.added
    tell_people(workspace_id=room, contact_ids=news.created, what=CREATED, now=word.at, with_members=False)
    for what, people in ((CREATED, news.added), (UPDATED, changed)):
        tell_members(workspace_id=room, contact_ids=people, what=what, now=word.at, list_id=news.list_.pk)


def _facts(news: BookNews) -> list[NewEvent]:
    facts = [_fact(news, "contact.created", key, {}) for key in news.created]
    facts += [_fact(news, "contact.updated", key, {"changed": [*names]}) for key, names in news.changed.items()]
    for one in _moved(news):
        facts.append(_fact(news, "contact.list_status_changed", one.contact_id, {"status": one.status}))
    return facts


def _fact(news: BookNews, name: str, contact_id: int, data: JSONObject) -> NewEvent:
    return NewEvent(name, "contact", contact_id, contact_id=contact_id, data={"list_id": news.list_.pk, **data})


def _moved(news: BookNews) -> Sequence[ListMember]:
    return [one for key, one in news.members.items() if news.before.get(key) != one.status]


def _proof(member: ListMember, word: Word) -> ConsentChange:
    return ConsentChange(
        contact_id=member.contact_id,
        list_id=member.list_id,
        state=MemberStatus(member.status),
        door=word.actor.door,
        source=word.source[:200],
        workspace=word.workspace,
        proof=dict(word.proof),
        user_id=word.actor.user_id,
        at=word.at,
    )


def tell_removed(list_: List, members: Sequence[ListMember], word: Word) -> None:
    """Append one row to the audit trail, and a fact for each person who was taken out of a book."""
    record = AuditRecord("list.contacts_removed", "list", list_.pk, after={"removed": len(members)})
    events.record_act(workspace=word.workspace, actor=word.actor, act=record, now=word.at)
    facts = [
        NewEvent(
            "contact.removed_from_list",
            "contact",
            one.contact_id,
            contact_id=one.contact_id,
            data={"list_id": list_.pk},
        )
        for one in members
    ]
    events.record_events(workspace=word.workspace, events=facts, now=word.at)
    for one in members:
        one.list = list_
    tell_gone_members(workspace_id=word.workspace.pk, members=members, now=word.at)
