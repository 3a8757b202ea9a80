"""Writes what a file says of people's will and standing, with proof: a "no" is added, none is ever taken back."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection
from django.db.models.functions import Lower

from postroom.core.contacts.models import Account, AccountContact, Category, ConsentChange, Suppression
from postroom.core.contacts.rules.import_rows import NO_WORD
from postroom.core.contacts.services.imports.places import Departures, Placed
from postroom.core.contacts.services.imports.target import MergeTarget
from postroom.core.contacts.services.suppression import put_suppressions
from postroom.core.contacts.types import NewSuppression, SuppressionScope

_OPT_OUT: Final = """
UPDATE contacts_contact SET is_globally_opted_out = true, globally_opted_out_at = %s, updated_at = %s
WHERE id = ANY(%s) AND NOT is_globally_opted_out RETURNING id
"""
_CONSENT: Final = """
INSERT INTO contacts_consent AS c (contact_id, category_id, state, updated_at)
SELECT x.*, %s FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS x
ON CONFLICT (category_id, contact_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
WHERE c.state = 'granted' AND excluded.state = 'withdrawn'
RETURNING contact_id, category_id, state
"""


def keep_standing(
    new: Sequence[Placed],
    left_new: Departures,
    known: Sequence[Placed],
    left_known: Departures,
    target: MergeTarget,
) -> None:
    """Write the standing of people who have their places, and the proof of every change."""
    everybody = [one for one in (*new, *known) if one[1].standing != NO_WORD]
    changes = [*_departures(left_new, target), *_departures(left_known, target)]
    if everybody:
        opted_out = [key for key, person in new if person.standing.is_opted_out]
        opted_out += _opt_out([key for key, person in known if person.standing.is_opted_out], target)
        changes += [_change(target, key, "opted_out_all") for key in opted_out]
        changes += _consent(everybody, target)
        changes += _suppress(everybody, target)
        _join_accounts(everybody, target)
    ConsentChange.objects.bulk_create(changes, batch_size=1_000)


def _departures(left: Departures, target: MergeTarget) -> Iterable[ConsentChange]:
    yield from (_change(target, key, "opted_out") for key in left.from_workspace)
    yield from (_change(target, key, "unsubscribed", list_id=list_id) for key, list_id in left.from_lists)


def _change(
    target: MergeTarget, contact_id: int, state: str, *, category_id: int | None = None, list_id: int | None = None
) -> ConsentChange:
    return ConsentChange(
        contact_id=contact_id,
        category_id=category_id,
        list_id=list_id,
        state=state,
        door=target.actor.door,
        source=target.source,
        workspace=target.workspace,
        user_id=target.actor.user_id,
        at=target.now,
    )


def _opt_out(keys: list[int], target: MergeTarget) -> list[int]:
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_OPT_OUT, [target.now, target.now, keys])
        return [key for (key,) in cursor.fetchall()]


def _consent(people: Sequence[Placed], target: MergeTarget) -> list[ConsentChange]:
    said: dict[tuple[int, str], str] = {}
    for key, person in people:
        for slug, state in person.standing.consents:
            if said.get((key, slug)) != "withdrawn":
                said[key, slug] = state
    if not said:
        return []
    categories = dict(Category.objects.filter(workspace=target.workspace).values_list("slug", "pk"))
    rows = [(key, categories[slug], state) for (key, slug), state in said.items() if slug in categories]
    with connection.cursor() as cursor:
        cursor.execute(_CONSENT, [target.now, *([row[n] for row in rows] for n in range(3))])
        return [_change(target, key, state, category_id=category) for key, category, state in cursor.fetchall()]


def _suppress(people: Sequence[Placed], target: MergeTarget) -> list[ConsentChange]:
    keys = {person.email: key for key, person in people if person.email and person.standing.suppressed}
    changes: list[ConsentChange] = []
    for scope in (SuppressionScope.WORKSPACE, SuppressionScope.ORGANIZATION):
        if entries := _entries(people, scope):
            news = put_suppressions(target.workspace, scope, entries, target.now)
            emails = Suppression.objects.filter(pk__in=news).values_list("email", flat=True)
            changes += [_change(target, keys[email], "suppressed") for email in emails if email in keys]
    return changes


def _entries(people: Sequence[Placed], scope: SuppressionScope) -> list[NewSuppression]:
    """What is said of each address as far as ``scope`` reaches; the detail is of the first that a row names."""
    return [
        NewSuppression(person.email, reason, "" if number else person.standing.suppression_detail)
        for _, person in people
        if person.email
        for number, (reach, reason) in enumerate(person.standing.suppressed)
        if reach is scope
    ]


def _join_accounts(people: Sequence[Placed], target: MergeTarget) -> None:
    names: dict[str, str] = {}
    for _, person in people:
        for name in person.standing.accounts:
            names.setdefault(name.lower(), name)
    if not names:
        return
    rows = [
        Account(workspace=target.workspace, name=name, created_at=target.now, updated_at=target.now)
        for name in names.values()
    ]
    Account.objects.bulk_create(rows, ignore_conflicts=True)
    found = Account.objects.filter(workspace=target.workspace).annotate(lower=Lower("name"))
    accounts = dict(found.filter(lower__in=names).values_list("lower", "pk"))
    links = [
        AccountContact(account_id=accounts[name.lower()], contact_id=key, created_at=target.now)
        for key, person in people
        for name in person.standing.accounts
        if name.lower() in accounts
    ]
    AccountContact.objects.bulk_create(links, batch_size=1_000, ignore_conflicts=True)
