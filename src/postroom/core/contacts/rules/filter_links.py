"""Compiles the conditions on what is tied to a person: tags, lists, consent, suppression, companies, deeds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final

from postroom.core.contacts import ports
from postroom.core.contacts.rules.filter_days import move, start_of, today_in
from postroom.core.contacts.rules.filter_language import Condition, Deeds, Group, Kind
from postroom.core.contacts.types import ConsentState, Deed, Sql

Names = Mapping[Kind, Mapping[str, tuple[int, ...]]]
"""The keys behind what a filter names: its tags, lists, companies, categories, and (under DEED) the mailings of its
campaigns. With them in the statement the planner knows how many people each will find.
"""


@dataclass(frozen=True, slots=True)
class Room:
    """Whose tags, lists and mail a filter speaks of, where its days begin, what day it is, what its names mean.

    A name that is not among ``names`` is nobody's.
    """

    workspace_id: int
    organization_id: int
    now: datetime
    timezone: str = "UTC"
    names: Names = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day it is in the workspace."""
        return today_in(self.timezone, self.now)

    def keys_of(self, condition: Condition) -> list[int]:
        """Return the keys of what a condition names."""
        known = self.names.get(condition.field.kind, {})
        return [key for name in names_of(condition) for key in known.get(name, ())]


def names_in(filter_: Group) -> Iterator[tuple[Kind, str]]:
    """Yield every name in a filter whose key must be known to compile it."""
    for part in filter_.parts:
        if isinstance(part, Group):
            yield from names_in(part)
        elif part.field.kind in _NAMING:
            yield from ((part.field.kind, name) for name in names_of(part))


def names_of(condition: Condition) -> tuple[str, ...]:
    """Return what a condition names."""
    first = condition.operands[0] if condition.operands else None
    return tuple(map(str, first.campaigns if isinstance(first, Deeds) else condition.operands))


_NAMING: Final = frozenset({Kind.TAG, Kind.LIST, Kind.ACCOUNT, Kind.CONSENT, Kind.DEED})
_NEGATED: Final = frozenset({"not_has", "has_none", "is_not_set", "not_listed", "did_not"})


@dataclass(frozen=True, slots=True)
class _Ties:
    """Rows ``x`` that tie something to a person: what stands after FROM, and the column that names the person."""

    source: Sql
    key: str = "contact_id"

    def narrow(self, *further: Sql) -> "_Ties":
        """Return those of the rows for which more holds."""
        parts = (self.source, *further)
        return replace(self, source=Sql("".join(part.text for part in parts), _params(*parts)))

    def found(self, *, is_wanted: bool, as_set: bool) -> Sql:
        """Return whether ``c`` is among them. As a set it is made once for everybody, else looked up or joined."""
        negation = "" if is_wanted else "NOT "
        own = "c.id" if self.key == "contact_id" else f"c.{self.key}"
        if not as_set:
            rows = f"SELECT 1 FROM {self.source.text} AND x.{self.key} = {own}"  # noqa: S608 - made of constants, here and below
            return Sql(f"{negation}EXISTS ({rows})", self.source.params)
        rows = f"SELECT x.{self.key} FROM {self.source.text} AND x.{self.key} IS NOT NULL"  # noqa: S608
        return Sql(f"({own} IN ({rows})) IS {negation}TRUE", self.source.params)


_TAGS: Final = _Ties(Sql("contacts_contacttag x WHERE true"))
_LISTS: Final = _Ties(Sql("contacts_listmember x WHERE true"))
_ACCOUNTS: Final = _Ties(Sql("contacts_accountcontact x WHERE true"))
_CONSENTS: Final = _Ties(Sql("contacts_consent x WHERE true"))


def _params(*parts: Sql) -> tuple[object, ...]:
    return tuple(param for part in parts for param in part.params)


def _among(column: str, keys: list[int]) -> Sql:
    return Sql(f" AND {column} = %s", (keys[0],)) if len(keys) == 1 else Sql(f" AND {column} = ANY(%s)", (keys,))


def _named(condition: Condition, room: Room, column: str, table: str) -> Sql:
    """What the condition names; every one of the workspace where it names none."""
    if condition.operands:
        return _among(column, room.keys_of(condition))
    own = f" AND {column} IN (SELECT t.id FROM {table} t WHERE t.workspace_id = %s)"  # noqa: S608
    return Sql(own, (room.workspace_id,))


def _tag(condition: Condition, room: Room, as_set: bool) -> Sql:
    if condition.operator == "has_all":
        return _every_tag(condition, room, as_set)
    ties = _TAGS.narrow(_named(condition, room, "x.tag_id", "contacts_tag"))
    return ties.found(is_wanted=condition.operator not in _NEGATED, as_set=as_set)


def _every_tag(condition: Condition, room: Room, as_set: bool) -> Sql:
    known = room.names.get(Kind.TAG, {})
    if not all(known.get(name) for name in names_of(condition)):
        return Sql("false")
    each = [
        _TAGS.narrow(_among("x.tag_id", list(known[name]))).found(is_wanted=True, as_set=as_set)
        for name in names_of(condition)
    ]
    return Sql(" AND ".join(one.text for one in each), _params(*each))


def _list(condition: Condition, room: Room, as_set: bool) -> Sql:
    ties = _LISTS.narrow(_named(condition, room, "x.list_id", "contacts_list"))
    if condition.operator not in {"listed", "not_listed"}:
        state = condition.operator if condition.operator in {"pending", "unsubscribed"} else "subscribed"
        ties = ties.narrow(Sql(f" AND x.status = '{state}'"))
    return ties.found(is_wanted=condition.operator not in _NEGATED, as_set=as_set)


def _account(condition: Condition, room: Room, as_set: bool) -> Sql:
    ties = _ACCOUNTS.narrow(_named(condition, room, "x.account_id", "contacts_account"))
    return ties.found(is_wanted=condition.operator not in _NEGATED, as_set=as_set)


def _status(condition: Condition, room: Room, as_set: bool) -> Sql:
    negation = "NOT " if condition.operator == "neq" else ""
    return Sql(f"{negation}w.status = ANY(%s)", (list(condition.operands),))


def _flag(condition: Condition, room: Room, as_set: bool) -> Sql:
    is_wanted = condition.operands[0] is (condition.operator == "eq")
    return Sql(f"{'' if is_wanted else 'NOT '}c.{condition.field.name}")


def _suppression(condition: Condition, room: Room, as_set: bool) -> Sql:
    ties = suppressions(room)
    if condition.operands:
        ties = ties.narrow(Sql(" AND x.reason = ANY(%s)", (list(condition.operands),)))
    return ties.found(is_wanted=condition.operator not in _NEGATED, as_set=as_set)


def suppressions(room: Room) -> _Ties:
    """Return the suppressions that keep mail of the workspace from people, whatever their reach."""
    reach = (
        "contacts_suppression x WHERE (x.scope = 'platform' OR (x.scope = 'organization' AND x.organization_id = %s)"
        " OR (x.scope = 'workspace' AND x.workspace_id = %s))"
    )
    return _Ties(Sql(reach, (room.organization_id, room.workspace_id)), key="address_hash")


def _consent(condition: Condition, room: Room, as_set: bool) -> Sql:
    ties = _CONSENTS.narrow(_among("x.category_id", room.keys_of(condition)))
    if condition.operator == "absent":
        return ties.found(is_wanted=False, as_set=as_set)
    state = ConsentState(condition.operator).value
    return ties.narrow(Sql(f" AND x.state = '{state}'")).found(is_wanted=True, as_set=as_set)


def _deed(condition: Condition, room: Room, as_set: bool) -> Sql:
    wanted, is_wanted = _deeds_of(condition), condition.operator not in _NEGATED
    if wanted.times == 1 and not as_set:
        return deeds(condition, room).found(is_wanted=is_wanted, as_set=False)
    # Only of the workspace's people, so that the planner may go by them where they are few beside everybody's mail.
    people = Sql("contacts_contactworkspace v, ")
    rows = deeds(condition, room).source
    own = Sql(" AND v.workspace_id = %s AND v.contact_id = x.contact_id", (room.workspace_id,))
    often = Sql("") if wanted.times == 1 else Sql(" GROUP BY 1 HAVING count(*) >= %s", (wanted.times,))
    parts = (people, rows, own, often)
    text = "".join(part.text for part in parts)
    # IS TRUE keeps this a set that is made once: as a join it is made again for every person wherever the planner
    # thinks that there is only one.
    found = f"(c.id IN (SELECT v.contact_id FROM {text}))"  # noqa: S608
    return Sql(f"{found} IS {'' if is_wanted else 'NOT '}TRUE", _params(*parts))


def _deeds_of(condition: Condition) -> Deeds:
    wanted = condition.operands[0]
    if not isinstance(wanted, Deeds):
        raise TypeError("A condition on deeds was not read by the parser.")
    return wanted


def deeds(condition: Condition, room: Room) -> _Ties:
    """Return the deeds that count for a condition."""
    rows, wanted = ports.deed_rows(Deed(condition.field.name)), _deeds_of(condition)
    ties = _Ties(Sql(f"{rows.source} AND x.workspace_id = %s", (room.workspace_id,)))
    if wanted.campaigns:
        ties = ties.narrow(_among("x.batch_id", room.keys_of(condition)))
    if wanted.within is not None:
        since = start_of(move(room.today, wanted.within, back=True), room.timezone)
        ties = ties.narrow(Sql(f" AND {rows.at} >= %s", (since,)))
    return ties


COMPILERS: Final[dict[Kind, Callable[[Condition, Room, bool], Sql]]] = {
    Kind.TAG: _tag,
    Kind.LIST: _list,
    Kind.ACCOUNT: _account,
    Kind.STATUS: _status,
    Kind.FLAG: _flag,
    Kind.SUPPRESSION: _suppression,
    Kind.CONSENT: _consent,
    Kind.DEED: _deed,
}
