"""Sending domains: created with keys of their own, which new ones take over from."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from postroom.core.events import services as events
from postroom.core.mail import jobs
from postroom.core.mail.errors import DomainInUse, KeysOnTheirWay, MailNameTaken, NoSuchDomain
from postroom.core.mail.models import DkimKey, Domain, Message, SenderAccount
from postroom.core.mail.rules.dkim import generate_keys
from postroom.core.mail.rules.regions import check_region
from postroom.core.mail.rules.senders import check_domain_name
from postroom.core.mail.services.telling import tell_domain
from postroom.core.mail.types import DomainTerms, KeyAlgorithm, KeyState
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.types import JSONObject

SELECTOR: Final = "postroom"


@transaction.atomic
def create_domain(
    *, workspace: Workspace, name: str, actor: Actor, now: datetime, region: str = "", is_tracked: bool = True
) -> Domain:
    """Store a domain with fresh RSA-2048 and Ed25519 keys, and have its records looked up from now on.

    Raises BadDomain, also for a region that there is not, or MailNameTaken when it is there.
    """
    name = check_domain_name(name)
    domain = Domain(workspace=workspace, name=name, region=check_region(region), created_at=now)
    domain.tracks_opens = domain.tracks_clicks = is_tracked
    try:
        with transaction.atomic():
            domain.save()
    except IntegrityError as error:
        raise MailNameTaken(f"The domain {name} is already here.", name=name) from error
    _make_keys(domain, KeyState.ACTIVE, now)
    look_soon(domain, now)
    _record(workspace, domain, "domain.created", {"name": name}, actor, now)
    tell_domain(domain=domain, type="domain.created", now=now)
    return domain


@transaction.atomic
def update_domain(*, workspace: Workspace, uid: UUID, terms: DomainTerms, actor: Actor, now: datetime) -> Domain:
    """Change which signatures a domain's mail carries and what is measured. Raises NoSuchDomain."""
    domain = _lock_domain(workspace, uid)
    domain.signing, domain.tracks_opens, domain.tracks_clicks = terms.signing, terms.tracks_opens, terms.tracks_clicks
    domain.updated_at = now
    domain.save(update_fields=["signing", "tracks_opens", "tracks_clicks", "updated_at"])
    look_soon(domain, now)
    after: JSONObject = {
        "signing": terms.signing.value,
        "tracks_opens": terms.tracks_opens,
        "tracks_clicks": terms.tracks_clicks,
    }
    _record(workspace, domain, "domain.updated", after, actor, now)
    tell_domain(domain=domain, type="domain.updated", now=now)
    return domain


@transaction.atomic
def delete_domain(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> None:
    """Forget a domain, its keys, and the accounts carried for it; those that have sent are switched off instead.

    Raises NoSuchDomain; DomainInUse, with names, while accounts with servers of their own sign for it.
    """
    domain = _lock_domain(workspace, uid)
    key = domain.pk
    tell_domain(domain=domain, type="domain.deleted", now=now)
    try:
        with transaction.atomic():
            _let_go_carried(domain)
            domain.delete()
    except ProtectedError as error:
        names = SenderAccount.objects.filter(domain=key).order_by("name").values_list("name", flat=True)[:5]
        raise DomainInUse(f"These senders sign for {domain.name}: {', '.join(names)}.") from error
    act = AuditRecord("domain.deleted", "domain", key, before={"name": domain.name})
    events.record_act(workspace=workspace, actor=actor, act=act, now=now)


@transaction.atomic
def rotate_keys(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Domain:
    """Make the next pair of keys. They sign as soon as their records are seen; the present ones retire then.

    Raises NoSuchDomain, or KeysOnTheirWay while an earlier pair is still waiting.
    """
    domain = _lock_domain(workspace, uid)
    if DkimKey.objects.filter(domain=domain, state=KeyState.PENDING).exists():
        raise KeysOnTheirWay("The next keys are already made: publish their records and they take over.")
    selectors = _make_keys(domain, KeyState.PENDING, now)
    look_soon(domain, now)
    _record(workspace, domain, "domain.keys_made", {"selectors": list(selectors)}, actor, now)
    return domain


@transaction.atomic
def drop_next_keys(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Domain:
    """Forget the keys that have not signed yet. Raises NoSuchDomain."""
    domain = _lock_domain(workspace, uid)
    dropped, _ = DkimKey.objects.filter(domain=domain, state=KeyState.PENDING).delete()
    if dropped:
        _record(workspace, domain, "domain.keys_dropped", {}, actor, now)
    return domain


@transaction.atomic
def want_check(*, workspace: Workspace, uid: UUID, now: datetime) -> Domain:
    """Have a domain's records looked up as soon as a worker is free; asked for twice, it is done once.

    Raises NoSuchDomain.
    """
    domain = _lock_domain(workspace, uid)
    if domain.next_check_at is None or domain.next_check_at > now:
        look_soon(domain, now)
    return domain


def _let_go_carried(domain: Domain) -> None:
    for sender in SenderAccount.objects.select_for_update().filter(domain=domain).exclude(carrier=None):
        try:
            with transaction.atomic():
                if Message.objects.filter(sender=sender).exists():  # or else they would all be loaded to say so
                    raise ProtectedError("messages", set())
                sender.delete()
        except ProtectedError:
            SenderAccount.objects.filter(pk=sender.pk).update(domain=None, is_active=False)


def _lock_domain(workspace: Workspace, uid: UUID) -> Domain:
    found = Domain.objects.select_for_update().filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchDomain("There is no such domain in this workspace.")
    return found


def _make_keys(domain: Domain, state: KeyState, now: datetime) -> tuple[str, str]:
    """Store a pair under selectors never used before: an earlier key's name must not come to mean another key."""
    keys = generate_keys()
    count = DkimKey.objects.filter(domain=domain, algorithm=KeyAlgorithm.RSA).order_by("pk").last()
    stem = SELECTOR if count is None else f"{SELECTOR}{now:%y%m%d}"
    taken = set(DkimKey.objects.filter(domain=domain, selector__startswith=stem).values_list("selector", flat=True))
    stem = next(name for name in (stem, *(f"{stem}{letter}" for letter in "bcdefghijk")) if name not in taken)
    pairs = (
        (KeyAlgorithm.RSA, stem, keys.rsa_private, keys.rsa_public),
        (KeyAlgorithm.ED25519, f"{stem}-ed", keys.ed25519_private, keys.ed25519_public),
    )
    DkimKey.objects.bulk_create(
        DkimKey(
            domain=domain,
            selector=selector,
            algorithm=algorithm,
            state=state,
            private=crypto.encrypt(private),
            public=public,
            created_at=now,
            activated_at=now if state is KeyState.ACTIVE else None,
        )
        for algorithm, selector, private, public in pairs
    )
    return stem, f"{stem}-ed"


def look_soon(domain: Domain, now: datetime) -> None:
    """Have a domain's records looked up as soon as a worker is free; part of the caller's transaction."""
    domain.next_check_at = now
    domain.save(update_fields=["next_check_at"])
    jobs.defer_check_domain(domain.pk)


def _record(workspace: Workspace, domain: Domain, act: str, after: JSONObject, actor: Actor, now: datetime) -> None:
    record = AuditRecord(act, "domain", domain.pk, after=after)
    events.record_act(workspace=workspace, actor=actor, act=record, now=now)
