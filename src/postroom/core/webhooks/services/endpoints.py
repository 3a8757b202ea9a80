"""What the owner of a webhook decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from postroom.core.events import services as events
from postroom.core.webhooks.errors import BadEndpoint, EndpointState
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.rules import signing
from postroom.core.webhooks.selectors.ears import forget_ears
from postroom.core.webhooks.selectors.endpoints import event_names, lock_endpoint
from postroom.core.webhooks.types import NOTIFY_CALLS, CallStatus, EndpointStatus, EndpointTerms
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.hosts import HostRefused
from postroom.kit.http import check_url
from postroom.kit.notify import notify
from postroom.kit.types import JSONObject

BOTH_SIGN_FOR: Final = timedelta(hours=24)
MOST: Final = 100
"""So many webhooks may a workspace have."""
_LONGEST_URL: Final = 2000
_LONGEST_DESCRIPTION: Final = 200


@transaction.atomic
def create_endpoint(
    *, workspace: Workspace, door: str, terms: EndpointTerms, actor: Actor, now: datetime, secret: str = ""
) -> Endpoint:
    """Add a webhook that speaks a door's dialect, with a secret of its own or a fresh one. Raises BadEndpoint."""
    if door not in writers():
        raise BadEndpoint("There is no such format for webhooks.")
    if Endpoint.objects.filter(workspace=workspace).count() >= MOST:
        raise BadEndpoint(f"A workspace has at most {MOST} webhooks.")
    sealed = crypto.encrypt(_check_secret(secret) if secret else signing.make_secret())
    endpoint = Endpoint(workspace=workspace, door=door, secret=sealed, created_at=now)
    _put(endpoint, terms, now)
    _record(endpoint, "webhook.created", actor, now, after=_summary(endpoint))
    return endpoint


@transaction.atomic
def update_endpoint(*, workspace: Workspace, uid: UUID, terms: EndpointTerms, actor: Actor, now: datetime) -> Endpoint:
    """Change what a webhook hears and where it is. Raises NoSuchEndpoint, BadEndpoint."""
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    before = _summary(endpoint)
    _put(endpoint, terms, now)
    _record(endpoint, "webhook.updated", actor, now, before=before, after=_summary(endpoint))
    return endpoint


@transaction.atomic
def pause_endpoint(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Endpoint:
    """Call a webhook no more; what waits is discarded and can be replayed. Raises NoSuchEndpoint, EndpointState."""
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    if endpoint.status != EndpointStatus.ACTIVE:
        raise EndpointState("Only an active webhook can be paused.", status=endpoint.status)
    endpoint.status = EndpointStatus.PAUSED
    _save(endpoint, now, "status")
    discard_waiting(endpoint_ids=(endpoint.pk,), now=now)
    _record(endpoint, "webhook.paused", actor, now)
    return endpoint


@transaction.atomic
def resume_endpoint(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Endpoint:
    """Call a paused webhook again, or one that was switched off: what was counted against it is forgotten.

    Raises NoSuchEndpoint, EndpointState.
    """
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    if endpoint.status == EndpointStatus.ACTIVE:
        raise EndpointState("This webhook is active.", status=endpoint.status)
    endpoint.status, endpoint.failures = EndpointStatus.ACTIVE, 0
    endpoint.failing_since = endpoint.disabled_at = None
    _save(endpoint, now, "status", "failures", "failing_since", "disabled_at")
    _record(endpoint, "webhook.resumed", actor, now)
    notify(NOTIFY_CALLS)
    return endpoint


@transaction.atomic
def rotate_secret(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime, secret: str = "") -> Endpoint:
    """Sign with another secret from now on: a fresh one, or one's own. For 24 hours the former signs as well, in the
    header of Standard Webhooks. Raises NoSuchEndpoint, BadEndpoint.
    """
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    fresh = crypto.encrypt(_check_secret(secret) if secret else signing.make_secret())
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + BOTH_SIGN_FOR
    endpoint.secret = fresh
    _save(endpoint, now, "secret", "previous_secret", "previous_until")
    _record(endpoint, "webhook.secret_rotated", actor, now)
    return endpoint


@transaction.atomic
def delete_endpoint(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a webhook and its calls. Raises NoSuchEndpoint."""
    endpoint = lock_endpoint(workspace=workspace, uid=uid)
    _record(endpoint, "webhook.deleted", actor, now, before=_summary(endpoint))
    Call.objects.filter(endpoint_id=endpoint.pk).delete()
    endpoint.delete()
    _look_again()


def discard_waiting(*, endpoint_ids: Iterable[int], now: datetime) -> None:
    """Give up what waits for webhooks that are not called any more."""
    waiting = Call.objects.filter(endpoint_id__in=list(endpoint_ids), status=CallStatus.PENDING)
    waiting.update(status=CallStatus.DISCARDED, next_attempt_at=None, finished_at=now)


def _put(endpoint: Endpoint, terms: EndpointTerms, now: datetime) -> None:
    endpoint.url = _check_url(terms.url.strip())
    endpoint.description = terms.description.replace("\0", "").strip()[:_LONGEST_DESCRIPTION]
    endpoint.event_types = _check_events(endpoint.door, terms.event_types)
    endpoint.mail_domains = sorted({name.strip().lower().rstrip(".") for name in terms.mail_domains} - {""})
    endpoint.updated_at = now
    endpoint.save()
    _look_again()


def _save(endpoint: Endpoint, now: datetime, *fields: str) -> None:
    endpoint.updated_at = now
    endpoint.save(update_fields=[*fields, "updated_at"])
    _look_again()


def _look_again() -> None:
    """This process knows at once, also when the transaction has ended; the others within a second."""
    forget_ears()
    transaction.on_commit(forget_ears)


def _check_url(url: str) -> str:
    if len(url) > _LONGEST_URL:
        raise BadEndpoint(f"The address is longer than {_LONGEST_URL} characters.")
    try:
        return check_url(url, settings.INTERNAL_HTTP_HOSTS)
    except HostRefused as error:
        raise BadEndpoint(error.message) from error


def _check_events(door: str, names: Sequence[str]) -> list[str]:
    known = event_names(door)
    if unknown := sorted(set(names) - set(known)):
        raise BadEndpoint(f"There are no such events: {', '.join(unknown[:5])}.")
    return [name for name in known if name in names]


def _check_secret(secret: str) -> str:
    if not signing.SHORTEST <= len(secret) <= signing.LONGEST or not secret.isascii() or not secret.isprintable():
        raise BadEndpoint(
            f"A secret has {signing.SHORTEST} to {signing.LONGEST} characters: letters, digits and signs of ASCII."
        )
    return secret


def _summary(endpoint: Endpoint) -> JSONObject:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "mail_domains": list(endpoint.mail_domains),
    }


def _record(
    endpoint: Endpoint,
    act: str,
    actor: Actor,
    now: datetime,
    before: JSONObject | None = None,
    after: JSONObject | None = None,
) -> None:
    record = AuditRecord(act, "webhook", endpoint.pk, before=before, after=after)
    events.record_act(workspace=endpoint.workspace, actor=actor, act=record, now=now)
