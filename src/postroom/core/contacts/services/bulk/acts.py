"""What a bulk action does to a batch of people, and how it is taken back: in few statements, however many."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import connection
from psycopg.types.json import Jsonb

from postroom.core.contacts.models import BulkRun, Contact
from postroom.core.contacts.services.departures import remove_people
from postroom.core.contacts.services.telling import CREATED, DELETED, UPDATED, tell_members, tell_people
from postroom.core.contacts.types import BULK_SOURCE, BulkKind
from postroom.kit.types import JSONObject, JSONValue

# The people of a batch lie close together: BETWEEN keeps the planner from reading all of a list for each batch, as it
# would for one that grew since the last ANALYZE.
_TAG: Final = """
INSERT INTO contacts_contacttag (contact_id, tag_id)
SELECT p.id, t.id FROM unnest(%(ids)s::bigint[]) p(id) JOIN contacts_tag t ON t.id = %(tag)s
ON CONFLICT (tag_id, contact_id) DO NOTHING RETURNING contact_id, NULL
"""
_UNTAG: Final = """
DELETE FROM contacts_contacttag
WHERE tag_id = %(tag)s AND contact_id BETWEEN %(low)s AND %(high)s AND contact_id = ANY(%(ids)s)
RETURNING contact_id, NULL
"""
# Whoever left the list, the workspace or everything stays off it: a colleague's wish is no change of theirs. Nor does
# it confirm anybody on a list whose people confirm themselves.
_SUBSCRIBE: Final = """
WITH former AS (
    SELECT c.id, m.status FROM contacts_contact c
    JOIN contacts_contactworkspace w ON w.contact_id = c.id AND w.workspace_id = %(workspace)s
    LEFT JOIN contacts_listmember m ON m.contact_id = c.id AND m.list_id = %(list)s
    WHERE c.id = ANY(%(ids)s) AND NOT c.is_globally_opted_out AND w.status <> 'unsubscribed'
), placed AS (
    INSERT INTO contacts_listmember AS m
        (contact_id, list_id, status, reason, properties, source, created_at, updated_at)
    SELECT f.id, l.id, CASE WHEN l.is_double_opt_in THEN 'pending' ELSE 'subscribed' END, '', '{}', %(source)s,
           %(now)s, %(now)s
    FROM former f JOIN contacts_list l ON l.id = %(list)s
    WHERE f.status IS NULL OR (f.status = 'pending' AND NOT l.is_double_opt_in)
    ORDER BY f.id
    ON CONFLICT (list_id, contact_id)
    DO UPDATE SET status = excluded.status, source = excluded.source, updated_at = excluded.updated_at
    WHERE m.status = 'pending' AND excluded.status = 'subscribed'
    RETURNING m.contact_id, m.status
)
SELECT p.contact_id, f.status, p.status FROM placed p JOIN former f ON f.id = p.contact_id
"""
_UNSUBSCRIBE: Final = """
WITH former AS (
    SELECT id, contact_id, status FROM contacts_listmember
    WHERE list_id = %(list)s AND contact_id BETWEEN %(low)s AND %(high)s AND contact_id = ANY(%(ids)s)
      AND status <> 'unsubscribed'
    ORDER BY contact_id FOR UPDATE
)
UPDATE contacts_listmember m SET status = 'unsubscribed', source = %(source)s, updated_at = %(now)s
FROM former f WHERE m.id = f.id
RETURNING m.contact_id, f.status, m.status
"""
# Taken back only where the action was the last to set it; who left since stays away.
_UNDO_JOIN: Final = """
DELETE FROM contacts_listmember m
WHERE m.list_id = %(list)s AND m.contact_id BETWEEN %(low)s AND %(high)s AND m.contact_id = ANY(%(ids)s)
  AND m.source = %(source)s AND m.status <> 'unsubscribed'
RETURNING m.contact_id, NULL, 'absent'
"""
_UNDO_STATUS: Final = """
UPDATE contacts_listmember m SET status = b.value #>> '{}', source = 'undone', updated_at = %(now)s
FROM jsonb_each(%(before)s) b
WHERE m.list_id = %(list)s AND m.contact_id = b.key::bigint AND m.source = %(source)s
  AND m.status = ANY(%(after)s) AND b.value <> 'null'
RETURNING m.contact_id, NULL, m.status
"""
_SET_FIELD: Final = """
WITH former AS (
    SELECT id, custom -> %(key)s::text AS value FROM contacts_contact
    WHERE id = ANY(%(ids)s) AND (custom -> %(key)s::text) IS DISTINCT FROM %(value)s::jsonb
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE contacts_contact c SET updated_at = %(now)s, custom = CASE WHEN %(value)s::jsonb IS NULL
    THEN c.custom - %(key)s::text ELSE c.custom || jsonb_build_object(%(key)s::text, %(value)s::jsonb) END
FROM former f WHERE c.id = f.id
RETURNING c.id, f.value
"""
_UNDO_FIELD: Final = """
UPDATE contacts_contact c SET updated_at = %(now)s, custom = CASE WHEN b.value = 'null'
    THEN c.custom - %(key)s::text ELSE c.custom || jsonb_build_object(%(key)s::text, b.value) END
FROM jsonb_each(%(before)s) b
WHERE c.id = b.key::bigint AND (c.custom -> %(key)s::text) IS NOT DISTINCT FROM %(value)s::jsonb
RETURNING c.id, NULL
"""
# Whoever deletes a person, a tag or a list locks it first: see decision 0016.
_HOLD: Final = """
SELECT c.id FROM contacts_contact c JOIN contacts_contactworkspace w ON w.contact_id = c.id AND w.workspace_id = %s
WHERE c.id = ANY(%s) AND c.erased_at IS NULL ORDER BY c.id FOR KEY SHARE OF c
"""
_HOLD_TAG: Final = "SELECT id FROM contacts_tag WHERE id = %s FOR KEY SHARE"
_HOLD_LIST: Final = "SELECT id FROM contacts_list WHERE id = %s FOR KEY SHARE"
_KEEP_PROOF: Final = """
INSERT INTO contacts_consentchange (contact_id, list_id, workspace_id, state, door, source, user_id, proof, at)
SELECT p.id, %s, %s, p.state, %s, %s, %s, '{}', %s FROM unnest(%s::bigint[], %s::text[]) p(id, state)
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """Whom a batch really changed, and what they had before, by key as text, where an undo needs it."""

    ids: list[int] = field(default_factory=list)
    before: JSONObject = field(default_factory=dict)


def apply_batch(run: BulkRun, ids: Sequence[int], now: datetime) -> Changed:
    """Do the run's action to people of its workspace, within the caller's transaction."""
    return _ACTS[BulkKind(run.action)](run, _hold(run, ids), now)


def revert_batch(run: BulkRun, ids: Sequence[int], before: JSONObject, now: datetime) -> int:
    """Take the action back where nobody changed the same thing since; return for how many people it was."""
    here = _hold(run, ids)
    known = {str(pk) for pk in here}
    return _UNDOS[BulkKind(run.action)](run, here, {key: was for key, was in before.items() if key in known}, now)


def can_undo(kind: BulkKind) -> bool:
    """Whether an action can be taken back."""
    return kind in _UNDOS


def _tag(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    return Changed([pk for pk, *_ in _run(_TAG, ids=ids, tag=run.params["tag_id"])])


def _untag(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    return Changed([pk for pk, *_ in _run(_UNTAG, ids=ids, tag=run.params["tag_id"])])


def _subscribe(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    return _place(run, _SUBSCRIBE, ids, now)


def _unsubscribe(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    return _place(run, _UNSUBSCRIBE, ids, now)


def _place(run: BulkRun, statement: str, ids: list[int], now: datetime) -> Changed:
    rows = _run(statement, ids=ids, workspace=run.workspace_id, **_membership(run, now))
    _keep_proof(run, rows, now)
    _tell_moved(run, rows, now)
    return Changed([pk for pk, *_ in rows], {str(pk): was for pk, was, _ in rows})


def _set_field(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    rows = _run(_SET_FIELD, ids=ids, key=run.params["field"], value=_json(run.params.get("value")), now=now)
    tell_people(workspace_id=run.workspace_id, contact_ids=[pk for pk, _ in rows], what=UPDATED, now=now)
    return Changed([pk for pk, _ in rows], {str(pk): None if was is None else json.loads(was) for pk, was in rows})


def _delete(run: BulkRun, ids: list[int], now: datetime) -> Changed:
    people = list(Contact.objects.filter(pk__in=ids).order_by("pk").select_for_update().defer("search", "custom"))
    tell_people(workspace_id=run.workspace_id, contact_ids=[one.pk for one in people], what=DELETED, now=now)
    remove_people(workspace=run.workspace, people=people, now=now)
    return Changed([one.pk for one in people])


def _undo_tag(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> int:
    return len(_run(_UNTAG, ids=ids, tag=run.params["tag_id"]))


def _undo_untag(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> int:
    return len(_run(_TAG, ids=ids, tag=run.params["tag_id"]))


def _undo_subscribe(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> int:
    joined = [int(key) for key, was in before.items() if was is None]
    rows = _run(_UNDO_JOIN, ids=joined, **_membership(run, now))
    rows += _run(_UNDO_STATUS, before=_json(before), after=["subscribed"], **_membership(run, now))
    _keep_proof(run, rows, now)
    return len(rows)


def _undo_unsubscribe(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> int:
    rows = _run(_UNDO_STATUS, before=_json(before), after=["unsubscribed"], **_membership(run, now))
    _keep_proof(run, rows, now)
    return len(rows)


def _undo_field(run: BulkRun, ids: list[int], before: JSONObject, now: datetime) -> int:
    value = _json(run.params.get("value"))
    return len(_run(_UNDO_FIELD, before=_json(before), key=run.params["field"], value=value, now=now))


def _membership(run: BulkRun, now: datetime) -> dict[str, Any]:
    return {"list": run.params["list_id"], "source": f"{BULK_SOURCE}{run.uid}", "now": now}


def _keep_proof(run: BulkRun, rows: list[Any], now: datetime) -> None:
    """Write down for each person what was done to their standing with the list, as ``keep_proof`` does for one."""
    if rows:
        people, states = [pk for pk, _, _ in rows], [state for *_, state in rows]
        source = f"{BULK_SOURCE}{run.uid}"
        values = [run.params["list_id"], run.workspace_id, run.door, source, run.created_by_id, now, people, states]
        with connection.cursor() as cursor:
            cursor.execute(_KEEP_PROOF, values)


def _tell_moved(run: BulkRun, rows: list[Any], now: datetime) -> None:
    for what, people in (
        (CREATED, [pk for pk, was, _ in rows if was is None]),
        (UPDATED, [pk for pk, was, _ in rows if was is not None]),
    ):
        tell_members(
            workspace_id=run.workspace_id, contact_ids=people, what=what, now=now, list_id=run.params["list_id"]
        )


def _hold(run: BulkRun, ids: Sequence[int]) -> list[int]:
    """Return those who are still of the workspace; neither they nor the tag or list in question can go meanwhile."""
    with connection.cursor() as cursor:
        for statement, name in ((_HOLD_TAG, "tag_id"), (_HOLD_LIST, "list_id")):
            if name in run.params:
                cursor.execute(statement, [run.params[name]])
        cursor.execute(_HOLD, [run.workspace_id, list(ids)])
        return [pk for (pk,) in cursor.fetchall()]


def _run(statement: str, *, ids: Sequence[int] = (), **values: Any) -> list[Any]:
    values |= {"ids": [*ids], "low": min(ids, default=0), "high": max(ids, default=0)}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _json(value: JSONValue) -> Jsonb | None:
    return None if value is None else Jsonb(value)


_ACTS: Final[dict[BulkKind, Callable[[BulkRun, list[int], datetime], Changed]]] = {
    BulkKind.TAG: _tag,
    BulkKind.UNTAG: _untag,
    BulkKind.SUBSCRIBE: _subscribe,
    BulkKind.UNSUBSCRIBE: _unsubscribe,
    BulkKind.SET_FIELD: _set_field,
    BulkKind.CLEAR_FIELD: _set_field,
    BulkKind.DELETE: _delete,
}
_UNDOS: Final[dict[BulkKind, Callable[[BulkRun, list[int], JSONObject, datetime], int]]] = {
    BulkKind.TAG: _undo_tag,
    BulkKind.UNTAG: _undo_untag,
    BulkKind.SUBSCRIBE: _undo_subscribe,
    BulkKind.UNSUBSCRIBE: _undo_unsubscribe,
    BulkKind.SET_FIELD: _undo_field,
    BulkKind.CLEAR_FIELD: _undo_field,
}
