"""What providers report: stored before it is answered, read afterwards, fetched when it did not come."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction

from postroom.core.mail.models import ProviderContact, ProviderEvent, SenderAccount
from postroom.core.mail.ports import ReportReader
from postroom.core.mail.rules.providers import is_http
from postroom.core.mail.selectors.addressees import find_workspaces
from postroom.core.mail.selectors.provider_events import get_parked_event
from postroom.core.mail.selectors.senders import load_sender_profile
from postroom.core.mail.services.hits import store_hits
from postroom.core.mail.services.inbound import keep_inbound
from postroom.core.mail.services.unsubscribe import unsubscribe_message
from postroom.core.mail.types import Delivery, EventType, Hit, InboundMail, Provider, ProviderFact
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit.errors import NotFound, Unavailable
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject

log = structlog.get_logger(__name__)

_KEPT: Final = timedelta(days=3)
_KEPT_PARKED: Final = timedelta(days=30)

FETCH_EVERY: Final = timedelta(minutes=10)
_OVERLAP: Final = timedelta(minutes=30)
"""How far back of the last time a fetch begins: providers write their records late."""
_LONGEST: Final = timedelta(days=5)
_FACTS_AT_ONCE: Final = 1000

_STORE: Final = """
INSERT INTO mail_providerevent
    (uid, sender_id, key, digest, is_inbound, content_type, body, attempts, error, received_at)
SELECT one.uid, one.sender_id, one.key, one.digest, one.is_inbound, one.content_type, one.body, 0, '', one.received_at
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bytea[], %s::bool[], %s::text[], %s::bytea[], %s::timestamptz[])
    AS one (uid, sender_id, key, digest, is_inbound, content_type, body, received_at)
ON CONFLICT (sender_id, key) DO NOTHING
RETURNING sender_id, key
"""


def store_deliveries(*, deliveries: Sequence[Delivery]) -> list[bool]:
    """Store what is new of ``deliveries``, in one statement; answer for each whether it is to be acknowledged.

    One that was stored before is, if it says the same; if only its key is the same, somebody uses a signature again
    that covers no more than the key, and it is refused.
    """
    keyed = [(one, one.key or sha256(one.body).hexdigest(), sha256(one.body).digest()) for one in deliveries]
    first = {(one.sender_id, key): (one, digest) for one, key, digest in reversed(keyed)}
    with connection.cursor() as cursor:
        cursor.execute(_STORE, _columns(first))
        stored = set(cursor.fetchall())
    known = {place: digest for place, (_, digest) in first.items() if place in stored}
    known |= _digests(first.keys() - stored)
    return [known.get((one.sender_id, key)) == digest for one, key, digest in keyed]


@transaction.atomic
def read_deliveries(*, reader: ReportReader, now: datetime, limit: int = 500) -> int:
    """Make of stored deliveries what they say; answer how many were looked at. What cannot be read is parked."""
    waiting = ProviderEvent.objects.select_for_update(skip_locked=True, of=("self",)).select_related("sender")
    events = list(waiting.filter(processed_at=None, parked_at=None).order_by("id")[:limit])
    facts: list[tuple[SenderAccount, ProviderFact]] = []
    for event in events:
        facts += [(event.sender, fact) for fact in _read(event, reader, now)]
    _apply(facts, now)
    ProviderEvent.objects.bulk_update(
        events, ["attempts", "error", "body", "processed_at", "parked_at"], batch_size=500
    )
    _note_heard({event.sender_id for event in events if event.processed_at}, now)
    return len(events)


@transaction.atomic
def replay_event(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> SenderAccount:
    """Have an event read again that could not be read; answer its account. Raises NoSuchProviderEvent."""
    event = get_parked_event(workspace=workspace, uid=uid)
    ProviderEvent.objects.filter(pk=event.pk).update(parked_at=None, error="", attempts=0)
    record = AuditRecord(act="provider_event.replayed", object_type="sender", object_id=event.sender_id)
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return event.sender


def forget_deliveries(*, now: datetime) -> int:
    """Delete events that nobody will ask for any more, some at once; answer how many."""
    read = ProviderEvent.objects.filter(received_at__lt=now - _KEPT, processed_at__isnull=False)
    parked = ProviderEvent.objects.filter(received_at__lt=now - _KEPT_PARKED)
    gone = [*read.values_list("pk", flat=True)[:5000], *parked.values_list("pk", flat=True)[:5000]]
    ProviderEvent.objects.filter(pk__in=gone).delete()
    return len(gone)


def fetch_missed(*, reader: ReportReader, now: datetime) -> bool:
    """Ask one provider's records for what its webhooks may not have told us; answer whether one was due.

    An account is asked every ten minutes, from a little before where the last whole fetch ended; what is known already
    changes nothing.
    """
    contact = _due(now)
    if contact is None:
        return False
    since = max(contact.fetched_until or now - _LONGEST, now - _LONGEST)
    profile = load_sender_profile(sender_id=contact.sender_id)
    sender = SenderAccount.objects.get(pk=contact.sender_id)
    facts, until, error = reader.fetch(profile, since - _OVERLAP, now), now, ""
    try:
        while part := list(islice(facts, _FACTS_AT_ONCE)):
            with transaction.atomic():
                _apply([(sender, fact) for fact in part], now)
    except Unavailable as failure:
        until, error = since, failure.message[:1000]
    ProviderContact.objects.filter(pk=contact.pk).update(fetched_until=until, fetch_error=error)
    return True


def _due(now: datetime) -> ProviderContact | None:
    """Return an account to ask now, marked so that no other worker asks it in the next minutes."""
    with transaction.atomic():
        used = SenderAccount.objects.filter(last_used_at__isnull=False, provider__in=_FETCHED)
        missing = used.exclude(pk__in=ProviderContact.objects.values("sender"))
        ProviderContact.objects.bulk_create(
            [ProviderContact(sender=sender, fetch_after=now) for sender in missing], ignore_conflicts=True
        )
        return _claim_fetch(now)


def _claim_fetch(now: datetime) -> ProviderContact | None:
    rows = ProviderContact.objects.select_for_update(skip_locked=True, of=("self",)).select_related("sender")
    rows = rows.filter(sender__provider__in=_FETCHED, sender__last_used_at__gte=now - _LONGEST)
    found = rows.filter(fetch_after__lte=now).order_by("fetch_after").first()
    if found is not None:
        ProviderContact.objects.filter(pk=found.pk).update(fetch_after=now + FETCH_EVERY)
    return found


_FETCHED: Final = tuple(provider.value for provider in Provider if is_http(provider))


def _columns(first: Mapping[tuple[int, str], tuple[Delivery, bytes]]) -> list[list[object]]:
    rows = [
        (uuid7(), sender_id, key, digest, one.is_inbound, one.content_type[:200], one.body, one.received_at)
        for (sender_id, key), (one, digest) in first.items()
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _digests(places: set[tuple[int, str]]) -> dict[tuple[int, str], bytes]:
    keys: dict[int, list[str]] = defaultdict(list)
    for sender_id, key in places:
        keys[sender_id].append(key)
    found: dict[tuple[int, str], bytes] = {}
    for sender_id, names in keys.items():
        rows = ProviderEvent.objects.filter(sender_id=sender_id, key__in=names).values_list("key", "digest")
        found |= {(sender_id, key): bytes(digest) for key, digest in rows}
    return found


def _read(event: ProviderEvent, reader: ReportReader, now: datetime) -> list[ProviderFact]:
    """Return the facts in an event; mail that it brings is kept at once. One that cannot be read is parked."""
    event.attempts += 1
    try:
        found = reader.read(
            Provider(event.sender.provider), bytes(event.body), event.content_type, is_inbound=event.is_inbound
        )
        with transaction.atomic():
            for mail in found:
                if isinstance(mail, InboundMail):
                    keep_inbound(mail=mail, now=now)
    except Exception as error:  # whatever a stranger's words do to a reader, the others' are read
        log.warning("provider_event_parked", sender_id=event.sender_id, error=type(error).__name__)
        event.parked_at, event.error = now, f"{type(error).__name__}: {error}"[:1000].replace("\0", "")
        return []
    event.processed_at, event.error, event.body = now, "", b""
    return [fact for fact in found if isinstance(fact, ProviderFact)]


def _apply(facts: Sequence[tuple[SenderAccount, ProviderFact]], now: datetime) -> None:
    """Store the facts about messages of the account's own workspace; nobody speaks of another's."""
    whose = find_workspaces(message_ids=[fact.message_id for _, fact in facts]) if facts else {}
    ours = [(sender, fact) for sender, fact in facts if whose.get(fact.message_id) == sender.workspace_id]
    store_hits(hits=[_hit(sender, fact, now) for sender, fact in ours if fact.type is not EventType.UNSUBSCRIBED])
    for sender, fact in ours:
        if fact.type is EventType.UNSUBSCRIBED:
            _unsubscribe(sender, fact, now)


def _unsubscribe(sender: SenderAccount, fact: ProviderFact, now: datetime) -> None:
    try:
        with transaction.atomic():
            unsubscribe_message(message_id=fact.message_id, source=sender.provider, now=now)
    except NotFound:
        log.info("provider_unsubscribe_of_nobody", message_id=fact.message_id)


def _hit(sender: SenderAccount, fact: ProviderFact, now: datetime) -> Hit:
    """A provider's clock may be wrong; what it says happened, happened by now."""
    data: JSONObject = {"source": sender.provider, "status": fact.status, "reason": fact.reason[:1000]}
    if fact.type in (EventType.BOUNCED, EventType.COMPLAINED):
        data |= {"is_permanent": fact.is_dead, "recipient": fact.recipient.lower()}
    return Hit(
        key=f"{sender.provider}:{fact.key}",
        type=fact.type,
        message_id=fact.message_id,
        at=min(fact.at, now),
        agent=fact.agent,
        ip=fact.ip,
        data=data,
    )


def _note_heard(sender_ids: set[int], now: datetime) -> None:
    for sender_id in sorted(sender_ids):
        heard = {"last_event_at": now}
        ProviderContact.objects.update_or_create(
            sender_id=sender_id, defaults=heard, create_defaults={**heard, "fetch_after": now}
        )
