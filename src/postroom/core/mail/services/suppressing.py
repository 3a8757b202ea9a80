"""Never mailing an address again, because of what a server or a provider said of it."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import BadAddress
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.mail.models import Message, StoredHit
from postroom.core.mail.rules.refusals import is_bad_address
from postroom.core.mail.services.ledger import clean
from postroom.core.mail.types import EventType
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM

log = structlog.get_logger(__name__)


def suppress(*, workspace: Workspace, email: str, reason: SuppressionReason, detail: str, now: datetime) -> None:
    """Have nobody of the organization mail an address again; nothing when it is no address at all."""
    try:
        contacts.suppress_address(
            workspace=workspace,
            email=email,
            scope=SuppressionScope.ORGANIZATION,
            reason=reason,
            detail=clean(detail),
            actor=SYSTEM,
            now=now,
        )
    except BadAddress:
        log.warning("refused_address_not_readable")  # what is no address cannot be mailed again either


def heed_providers(*, hits: Sequence[StoredHit], now: datetime) -> None:
    """Suppress whom providers report as gone or as complaining: in hits whose ``data`` names its ``source``.

    ``data`` has the enhanced ``status``, the reply ``code`` and the ``reason`` as far as they were told, and whether it
    ``is_permanent``. With several recipients it must name the ``recipient``.
    """
    told = [hit for hit in hits if hit.data.get("source")]
    messages = Message.objects.select_related("workspace").in_bulk({hit.message_id for hit in told})
    for hit in told:
        reason = _reason(hit)
        email = _recipient(messages[hit.message_id], hit) if reason else ""
        if reason and email:
            detail = f"{hit.data['source']}: {hit.data.get('status', '')} {hit.data.get('reason', '')}"
            workspace = messages[hit.message_id].workspace
            suppress(workspace=workspace, email=email, reason=reason, detail=detail, now=now)


def _reason(hit: StoredHit) -> SuppressionReason | None:
    if hit.type == EventType.COMPLAINED:
        return SuppressionReason.COMPLAINT
    status, words = str(hit.data.get("status") or ""), str(hit.data.get("reason") or "")
    is_permanent = hit.data.get("is_permanent") is True
    if hit.type == EventType.BOUNCED and is_bad_address(status, words, is_permanent=is_permanent):
        return SuppressionReason.HARD_BOUNCE
    return None


def _recipient(message: Message, hit: StoredHit) -> str:
    recipients = [*message.to, *message.cc, *message.bcc]
    named = str(hit.data.get("recipient") or "").lower()
    if named in recipients:
        return named
    # However the provider spells it: where there is one alone, it is theirs.
    return recipients[0] if len(recipients) == 1 else ""
