"""Sender accounts: who mail comes from, and the server that carries it."""

import json
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from postroom.core.mail.errors import MailNameTaken
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.rules.senders import check_new_sender
from postroom.core.mail.selectors.domains import get_domain_by_id
from postroom.core.mail.types import NewSender, Provider
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Actor, AuditRecord
from postroom.kit import crypto
from postroom.kit.types import JSONObject

SANDBOX_NAME: Final = "Sandbox"


@transaction.atomic
def create_sender(*, workspace: Workspace, new: NewSender, actor: Actor, now: datetime) -> SenderAccount:
    """Store a sender account; its credentials are encrypted.

    Raises BadSender or BadAddress, NoSuchDomain for a foreign domain, MailNameTaken.
    """
    domain = get_domain_by_id(workspace=workspace, domain_id=new.domain_id) if new.domain_id is not None else None
    check_new_sender(new, domain=domain.name if domain else "")
    sender = SenderAccount(
        workspace=workspace,
        domain=domain,
        name=new.name.strip(),
        provider=new.provider,
        from_name=new.from_name,
        from_email=new.from_email,
        reply_to=new.reply_to,
        config=dict(new.config),
        credentials=crypto.encrypt(json.dumps(dict(new.credentials))) if new.credentials else "",
        daily_limit=new.daily_limit,
        created_at=now,
    )
    try:
        with transaction.atomic():
            sender.save()
    except IntegrityError as error:
        raise MailNameTaken(f"There is already a sender account called {sender.name!r}.") from error
    after: JSONObject = {"name": sender.name, "provider": new.provider.value, "from_email": sender.from_email}
    record = AuditRecord(act="sender.created", object_type="sender", object_id=sender.pk, after=after)
    workspaces.record_audit(workspace=workspace, actor=actor, record=record, now=now)
    return sender


@transaction.atomic
def ensure_sandbox_sender(*, workspace: Workspace, actor: Actor, now: datetime) -> SenderAccount:
    """Return the account whose mail stays in the sandbox, made on the first call: what a workspace starts with."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    found = SenderAccount.objects.filter(workspace=workspace, provider=Provider.SANDBOX).order_by("pk").first()
    if found is not None:
        return found
    new = NewSender(
        name=SANDBOX_NAME,
        provider=Provider.SANDBOX,
        from_name=workspace.name,
        from_email=f"{workspace.slug}@{settings.INBOUND_DOMAIN}",
    )
    return create_sender(workspace=workspace, new=new, actor=actor, now=now)
