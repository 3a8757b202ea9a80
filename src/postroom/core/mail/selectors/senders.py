"""Reads of sender accounts."""

import json
from uuid import UUID

from django.conf import settings

from postroom.core.mail.errors import NoSuchSender
from postroom.core.mail.models import SenderAccount
from postroom.core.mail.rules.dns_records import return_host
from postroom.core.mail.selectors.domains import load_signing_keys, tracking_url
from postroom.core.mail.types import Provider, SenderProfile
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from postroom.kit.types import JSONObject


def get_sender(*, workspace: Workspace, sender_id: int | None = None, uid: UUID | None = None) -> SenderAccount:
    """Return a sender account by its key or its uid. Raises NoSuchSender, also for one of another workspace."""
    rows = SenderAccount.objects.select_related("domain", "carrier").filter(workspace=workspace)
    found = (rows.filter(uid=uid) if uid is not None else rows.filter(pk=sender_id or 0)).first()
    if found is None:
        raise NoSuchSender("There is no such sender account in this workspace.")
    return found


def list_senders(*, workspace: Workspace) -> list[SenderAccount]:
    """Return the sender accounts of a workspace by name."""
    rows = SenderAccount.objects.select_related("domain", "carrier").filter(workspace=workspace)
    return list(rows.order_by("name", "id"))


def load_sender_profile(*, sender_id: int) -> SenderProfile:
    """Return all that carrying an account's mail needs, secrets opened; for the sender process alone."""
    sender = SenderAccount.objects.select_related("domain").get(pk=sender_id)
    domain = sender.domain
    return SenderProfile(
        id=sender.pk,
        provider=Provider(sender.provider),
        config=_config(sender),
        credentials=json.loads(crypto.decrypt(sender.credentials)) if sender.credentials else {},
        from_name=sender.from_name,
        from_email=sender.from_email,
        reply_to=sender.reply_to,
        domain=domain.name if domain else "",
        keys=load_signing_keys(domain=domain) if domain else (),
        return_domain=return_host(domain.name) if domain and domain.return_verified_at else "",
        tracking_url=tracking_url(domain.name) if domain and domain.tracking_verified_at else "",
    )


def _config(sender: SenderAccount) -> JSONObject:
    """Return the account's settings; the sandbox's are this installation's, unless it says otherwise."""
    if sender.provider != Provider.SANDBOX:
        return dict(sender.config)
    return {"host": settings.SANDBOX_HOST, "port": settings.SANDBOX_PORT, **sender.config}
