"""Reads around what providers report: which account a webhook belongs to, what came, what could not be read."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings

from postroom.core.mail.errors import NoSuchProviderEvent
from postroom.core.mail.models import ProviderContact, ProviderEvent, SenderAccount
from postroom.core.mail.rules.providers import is_http
from postroom.core.mail.types import Provider, WebhookAccount
from postroom.core.workspaces.models import Workspace
from postroom.kit import crypto
from postroom.kit.tokens import make_token, read_token

WEBHOOK_USER = "postroom"
_PURPOSE = "provider-webhook"


def find_webhook_account(*, uid: UUID) -> WebhookAccount | None:
    """Return the account that a webhook's address names, or None."""
    sender = SenderAccount.objects.filter(uid=uid).first()
    if sender is None or not is_http(sender.provider):
        return None
    return WebhookAccount(
        sender_id=sender.pk,
        provider=Provider(sender.provider),
        config=dict(sender.config),
        credentials=json.loads(crypto.decrypt(sender.credentials)) if sender.credentials else {},
        password=webhook_password(sender=sender),
    )


def webhook_password(*, sender: SenderAccount) -> str:
    """Return the password in an account's webhook address, for providers that sign nothing: made from the secret key,
    so it is kept nowhere.
    """
    return make_token(_PURPOSE, sender.uid.bytes)


def is_webhook_password(*, uid: UUID, password: str) -> bool:
    """Whether ``password`` is an account's, also under a retired secret key; as fast for a wrong one as for a right."""
    return read_token(_PURPOSE, password) == uid.bytes


def webhook_urls(*, sender: SenderAccount) -> tuple[str, str]:
    """Return the addresses to give to a provider: for what happens to mail, and for mail that comes in."""
    scheme, _, rest = str(settings.PUBLIC_URL).partition("://")
    user = f"{WEBHOOK_USER}:{webhook_password(sender=sender)}@" if sender.provider in _SIGNING_NOTHING else ""
    address = f"{scheme}://{user}{rest}/hooks/{sender.uid}/{sender.provider}/"
    # SendGrid signs its events, and mail that came in not at all.
    keyed = f"{scheme}://{WEBHOOK_USER}:{webhook_password(sender=sender)}@{rest}/hooks/{sender.uid}/{sender.provider}/"
    return address, f"{keyed if sender.provider == Provider.SENDGRID else address}inbound/"


def get_provider_contact(*, sender: SenderAccount) -> ProviderContact:
    """Return when an account's provider was last heard of."""
    return ProviderContact.objects.filter(sender=sender).first() or ProviderContact(sender=sender)


def list_parked_events(*, sender: SenderAccount, limit: int = 50) -> Sequence[ProviderEvent]:
    """Return the newest events that could not be read, without their bodies."""
    rows = ProviderEvent.objects.filter(sender=sender, parked_at__isnull=False)
    return list(rows.order_by("-id").defer("body")[:limit])


def count_parked_events(*, sender: SenderAccount) -> int:
    """Return how many events could not be read."""
    return ProviderEvent.objects.filter(sender=sender, parked_at__isnull=False).count()


def get_parked_event(*, workspace: Workspace, uid: UUID) -> ProviderEvent:
    """Return an event that could not be read. Raises NoSuchProviderEvent, also for one of another workspace."""
    rows = ProviderEvent.objects.select_related("sender").filter(parked_at__isnull=False)
    found = rows.filter(sender__workspace=workspace, uid=uid).first()
    if found is None:
        raise NoSuchProviderEvent("There is no such event waiting here.")
    return found


_SIGNING_NOTHING = {Provider.POSTMARK, Provider.BREVO, Provider.MAILJET}
