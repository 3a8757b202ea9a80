"""Having a domain verified because its owner says that its records are published."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from postroom.core.events import services as events
from postroom.core.mail.errors import NoSuchDomain
from postroom.core.mail.models import Domain
from postroom.core.mail.services.domains import look_soon
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord

SHORTEST_GAP: Final = timedelta(seconds=5)
"""How often at most the records are looked up for somebody who keeps asking."""


@transaction.atomic
def want_verification(*, workspace: Workspace, uid: UUID, actor: Actor, now: datetime) -> Domain:
    """Look a domain's records up at once, and often from now on, until it is verified. Raises NoSuchDomain."""
    domain = _lock(workspace, uid)
    domain.verify_wanted_at = now
    domain.save(update_fields=["verify_wanted_at"])
    look_soon(domain, now)
    act = AuditRecord("domain.verification_wanted", "domain", domain.pk)
    events.record_act(workspace=workspace, actor=actor, act=act, now=now, data={"name": domain.name})
    return domain


@transaction.atomic
def keep_verifying(*, workspace: Workspace, uid: UUID, now: datetime) -> Domain:
    """Look again for whoever waits for a domain to be verified, unless that was done just now. Raises NoSuchDomain."""
    domain = _lock(workspace, uid)
    is_fresh = domain.checked_at is not None and now - domain.checked_at < SHORTEST_GAP
    is_due = domain.next_check_at is not None and domain.next_check_at <= now
    if domain.verify_wanted_at is not None and not is_fresh and not is_due:
        look_soon(domain, now)
    return domain


def _lock(workspace: Workspace, uid: UUID) -> Domain:
    found = Domain.objects.select_for_update().filter(workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchDomain("There is no such domain in this workspace.")
    return found
