"""Writes of suppressions: addresses that must not be mailed, whoever asks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from postroom.core.contacts import rules
from postroom.core.contacts.errors import SuppressionFinal, SuppressionGuarded
from postroom.core.contacts.models import Consent, Contact, ContactAlias, ContactWorkspace, ListMember, Suppression
from postroom.core.contacts.selectors.aliases import find_kept_addresses, find_owner
from postroom.core.contacts.selectors.suppressions import find_suppression, lock_suppression
from postroom.core.contacts.types import (
    ConsentState,
    Lift,
    MemberStatus,
    NewSuppression,
    SubscriptionStatus,
    SuppressionReason,
    SuppressionScope,
)
from postroom.core.events import services as events
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject

RANK: Final = (
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.MANUAL,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.BANNED,
    SuppressionReason.COMPLAINT,
    SuppressionReason.ERASED,
)
"""Weakest first: a stronger reason takes the place of a weaker one, never the other way round."""

_RANKS: Final = [reason.value for reason in RANK]
# In the order of the unique index, so that two writers never wait for each other in a ring. An opt-out stays on record
# under whatever stronger reason comes over it, or stands there already.
_UPSERT: Final = """
INSERT INTO contacts_suppression AS s
    (uid, scope, organization_id, workspace_id, address_hash, email, reason, detail, is_opted_out, created_at)
SELECT n.uid, %(scope)s, %(organization)s, %(workspace)s, decode(n.key, 'hex'), n.email, n.reason, n.detail,
       n.is_opted_out OR n.reason = 'unsubscribed', n.at
FROM json_to_recordset(%(rows)s::json)
     AS n(uid uuid, key text, email text, reason text, detail text, is_opted_out boolean, at timestamptz)
ORDER BY n.key
ON CONFLICT (address_hash, scope, organization_id, workspace_id) DO UPDATE SET
    reason = CASE WHEN array_position(%(ranks)s::text[], s.reason::text)
                     < array_position(%(ranks)s::text[], excluded.reason::text) THEN excluded.reason ELSE s.reason END,
    detail = CASE WHEN array_position(%(ranks)s::text[], s.reason::text)
                     < array_position(%(ranks)s::text[], excluded.reason::text) THEN excluded.detail ELSE s.detail END,
    is_opted_out = s.is_opted_out OR s.reason = 'unsubscribed' OR excluded.is_opted_out
WHERE array_position(%(ranks)s::text[], s.reason::text) < array_position(%(ranks)s::text[], excluded.reason::text)
   OR (excluded.is_opted_out AND NOT s.is_opted_out AND s.reason NOT IN ('unsubscribed', 'erased'))
RETURNING s.id
"""
OF_THE_PERSON: Final = frozenset(
    {
        SuppressionReason.UNSUBSCRIBED,
        SuppressionReason.MANUAL,
        SuppressionReason.BANNED,
        SuppressionReason.COMPLAINT,
    }
)
"""What its owner or the team wanted, and not what is wrong with an address: it goes along with the person."""

SCOPE_ALONG: Final = {scope: scope for scope in SuppressionScope} | {
    SuppressionScope.PLATFORM: SuppressionScope.ORGANIZATION
}
"""How far it reaches there: who is one person is the word of one organization, and binds no other."""

_LIFTED_FREELY: Final = SuppressionReason.MANUAL
_WORDS: Final = {
    SuppressionReason.HARD_BOUNCE: "its mailbox did not exist",
    SuppressionReason.COMPLAINT: "its owner reported mail from here as spam",
    SuppressionReason.BANNED: "it was banned",
    SuppressionReason.UNSUBSCRIBED: "its owner opted out",
}


@transaction.atomic
def suppress_address(
    *,
    workspace: Workspace,
    email: str,
    scope: SuppressionScope,
    reason: SuppressionReason,
    detail: str,
    actor: Actor,
    now: datetime,
) -> bool:
    """Never mail this address again, as far as ``scope`` reaches. Return whether that was news.

    Safe to repeat; a complaint replaces a bounce and not the other way round. Raises BadAddress.
    """
    entry = NewSuppression(rules.normalise_email(email), reason, detail)
    return suppress_entry(workspace=workspace, entry=entry, scope=scope, actor=actor, now=now)


def suppress_entry(
    *, workspace: Workspace, entry: NewSuppression, scope: SuppressionScope, actor: Actor, now: datetime
) -> bool:
    """Do the same for an address in its one spelling, within the caller's transaction."""
    news = put_suppressions(workspace, scope, [entry], now)
    if news:
        reason: JSONObject = {"reason": entry.reason.value}
        act = AuditRecord("contact.suppressed", "suppression", news[0], after={**reason, "scope": scope.value})
        contact = find_owner(organization_id=workspace.organization_id, email=entry.address)
        contact_id = contact.pk if contact else None
        events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact_id, data=reason)
    return bool(news)


@transaction.atomic
def suppress_addresses(
    *,
    workspace: Workspace,
    entries: Sequence[NewSuppression],
    scope: SuppressionScope,
    source: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Suppress many normalised addresses at once; return how many that was news for. Nothing is ever weakened."""
    news = put_suppressions(workspace, scope, entries, now)
    if news:
        counts: JSONObject = {"count": len(news), "scope": scope.value, "source": source[:200]}
        act = AuditRecord("suppressions.added", "workspace", workspace.pk, after=counts)
        events.record_act(workspace=workspace, actor=actor, act=act, now=now, data=counts)
    return len(news)


@transaction.atomic
def unsuppress_address(
    *,
    workspace: Workspace,
    email: str,
    actor: Actor,
    now: datetime,
    scope: SuppressionScope = SuppressionScope.WORKSPACE,
    lift: Lift = Lift(),  # noqa: B008 - frozen
) -> bool:
    """Lift the suppression of an address in one scope. Return whether there was one.

    Raises BadAddress, and what ``lift_suppression`` raises.
    """
    address_hash = crypto.address_hash(rules.normalise_email(email))
    row = find_suppression(workspace=workspace, scope=scope, address_hash=address_hash)
    if row is not None:
        _lift(workspace, row, lift, actor, now)
    return row is not None


@transaction.atomic
def lift_suppression(*, workspace: Workspace, uid: UUID, lift: Lift, actor: Actor, now: datetime) -> Suppression:
    """Let an address be mailed again, as far as this suppression forbade it; return what it was.

    An opt-out that stood behind a stronger reason stays. Raises NoSuchSuppression; SuppressionGuarded unless the lift
    is confirmed, for everything but a manual one; SuppressionFinal for an erased address.
    """
    row = lock_suppression(workspace=workspace, uid=uid)
    _lift(workspace, row, lift, actor, now)
    return row


def _lift(workspace: Workspace, row: Suppression, lift: Lift, actor: Actor, now: datetime) -> None:
    reason = SuppressionReason(row.reason)
    if reason is SuppressionReason.ERASED:
        raise SuppressionFinal
    if reason is not _LIFTED_FREELY and not lift.is_confirmed:
        raise SuppressionGuarded(f"This address is suppressed because {_WORDS[reason]}; confirm that you lift that.")
    contact = Contact.objects.filter(organization_id=workspace.organization_id, address_hash=row.address_hash).first()
    before: JSONObject = {"reason": row.reason, "scope": row.scope, "detail": row.detail}
    act = AuditRecord("contact.unsuppressed", "suppression", row.pk, before=before, after={"note": lift.note[:500]})
    if row.is_opted_out and reason is not SuppressionReason.UNSUBSCRIBED:
        row.reason, row.detail = SuppressionReason.UNSUBSCRIBED, KEPT_OPT_OUT
        row.save(update_fields=["reason", "detail"])
    else:
        Suppression.objects.filter(pk=row.pk).delete()
    contact_id = contact.pk if contact else None
    data: JSONObject = {"reason": reason.value}
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, contact_id=contact_id, data=data)


def keep_opt_outs(*, workspace: Workspace, people: Sequence[Contact], now: datetime) -> None:
    """Before people leave a workspace: let their opt-outs live on, so that a later import does not revive them.

    Their standing with lists and categories goes with them, so a no to any of these counts as a no to all: a file may
    say yes to a category in their name, and outreach asks for no yes at all.
    """
    ids = [one.pk for one in people]
    links = ContactWorkspace.objects.filter(contact_id__in=ids)
    elsewhere = set(links.exclude(workspace=workspace).values_list("contact_id", flat=True))
    here = links.filter(workspace=workspace, status=SubscriptionStatus.UNSUBSCRIBED)
    lists = ListMember.objects.filter(contact_id__in=ids, list__workspace=workspace, status=MemberStatus.UNSUBSCRIBED)
    topics = Consent.objects.filter(contact_id__in=ids, category__workspace=workspace, state=ConsentState.WITHDRAWN)
    left = {pk for said in (here, lists, topics) for pk in said.values_list("contact_id", flat=True)}
    # The record itself holds a global opt-out as long as it lives.
    ends = {one.pk for one in people if one.is_globally_opted_out} - elsewhere
    ending = [one for one in people if one.pk in ends]
    leaving = [one for one in people if one.pk in left and one.pk not in ends]
    for scope, group in ((SuppressionScope.ORGANIZATION, ending), (SuppressionScope.WORKSPACE, leaving)):
        put_suppressions(workspace, scope, _kept(group), now)


KEPT_OPT_OUT: Final = "Opted out; not a contact of the workspace any more."


def suppress_opted_out(*, workspace: Workspace, contact: Contact, scope: SuppressionScope, now: datetime) -> bool:
    """Keep an opt-out where no link of the person can hold it. Return whether that was news."""
    return bool(put_suppressions(workspace, scope, _kept([contact]), now))


def _kept(people: Sequence[Contact]) -> list[NewSuppression]:
    """The addresses of people, and those they gave up in merges."""
    given_up = ContactAlias.objects.filter(contact__in=people).exclude(email="").values_list("email", flat=True)
    addresses = (*(one.email for one in people if one.email), *given_up)
    return [NewSuppression(address, SuppressionReason.UNSUBSCRIBED, KEPT_OPT_OUT) for address in addresses]


def put_suppressions(
    workspace: Workspace, scope: SuppressionScope, entries: Sequence[NewSuppression], now: datetime
) -> list[int]:
    """Write what is news, and return its keys: an equal or stronger suppression stays as it stands.

    Somebody's will, said under an address that they gave up in a merge, holds for the one they kept, too.
    """
    strongest = _strongest(entries)
    news = _upsert(workspace, scope, strongest, now)
    if carried := _strongest(_for_kept_addresses(workspace, strongest.values())):
        _upsert(workspace, SCOPE_ALONG[scope], carried, now)
    return news


def will_under(entry: NewSuppression, address: str) -> NewSuppression | None:
    """Return what of a suppression goes along with a person to another address of theirs, if anything does."""
    detail = f"From another address of theirs. {entry.detail}".strip()
    own = replace(entry, address=address, address_hash=b"", detail=detail)
    if entry.reason in OF_THE_PERSON:
        return own
    return replace(own, reason=SuppressionReason.UNSUBSCRIBED) if entry.is_opted_out else None


def _for_kept_addresses(workspace: Workspace, entries: Iterable[NewSuppression]) -> list[NewSuppression]:
    said = {one.address: one for one in entries if one.address and will_under(one, one.address)}
    pairs = find_kept_addresses(organization_id=workspace.organization_id, emails=said.keys())
    return [one for given_up, kept in pairs if (one := will_under(said[given_up], kept))]


def _upsert(
    workspace: Workspace, scope: SuppressionScope, strongest: Mapping[bytes, NewSuppression], now: datetime
) -> list[int]:
    values = {
        "scope": scope.value,
        "organization": workspace.organization_id if scope is not SuppressionScope.PLATFORM else None,
        "workspace": workspace.pk if scope is SuppressionScope.WORKSPACE else None,
        "rows": json.dumps([_row(key, one, now) for key, one in strongest.items()]),
        "ranks": _RANKS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, values)
        return [row[0] for row in cursor.fetchall()]


def _row(key: bytes, entry: NewSuppression, now: datetime) -> JSONObject:
    return {
        "uid": uuid7().hex,
        "key": key.hex(),
        "email": entry.address,
        "reason": entry.reason.value,
        "detail": entry.detail[:1000].replace("\0", ""),
        "is_opted_out": entry.is_opted_out,
        "at": (entry.at or now).isoformat(),
    }


def _strongest(entries: Sequence[NewSuppression]) -> dict[bytes, NewSuppression]:
    """Return one entry for each address by its hash: one statement cannot write a row twice."""
    found: dict[bytes, NewSuppression] = {}
    for one in entries:
        key = one.address_hash or crypto.address_hash(one.address)
        found[key] = _stronger(found[key], one) if key in found else one
    return found


def _stronger(one: NewSuppression, other: NewSuppression) -> NewSuppression:
    """The graver of two; that the owner said no stays in it, whichever of them says so."""
    graver = one if RANK.index(one.reason) >= RANK.index(other.reason) else other
    said_no = any(each.is_opted_out or each.reason is SuppressionReason.UNSUBSCRIBED for each in (one, other))
    return replace(graver, is_opted_out=said_no)
