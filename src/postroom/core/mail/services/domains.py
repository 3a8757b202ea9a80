"""Sending domains: created with keys of their own, whose private halves are encrypted."""

from datetime import datetime

from django.db import IntegrityError, transaction

from postroom.core.mail.errors import MailNameTaken
from postroom.core.mail.models import Domain
from postroom.core.mail.rules.dkim import generate_keys
from postroom.core.mail.rules.senders import check_domain_name
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto


@transaction.atomic
def create_domain(*, workspace: Workspace, name: str, actor: Actor, now: datetime) -> Domain:
    """Store a domain with fresh RSA-2048 and Ed25519 keys. Raises BadDomain, or MailNameTaken when it is there."""
    name = check_domain_name(name)
    keys = generate_keys()
    domain = Domain(
        workspace=workspace,
        name=name,
        rsa_private=crypto.encrypt(keys.rsa_private),
        rsa_public=keys.rsa_public,
        ed25519_private=crypto.encrypt(keys.ed25519_private),
        ed25519_public=keys.ed25519_public,
        created_at=now,
    )
    try:
        with transaction.atomic():
            domain.save()
    except IntegrityError as error:
        raise MailNameTaken(f"The domain {name} is already here.", name=name) from error
    record = AuditRecord(act="domain.created", object_type="domain", object_id=domain.pk, after={"name": name})
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return domain
