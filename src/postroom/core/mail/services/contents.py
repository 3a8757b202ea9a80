"""Contents: compositions frozen for sending, stored once each."""

import hashlib
import json
from datetime import datetime

from django.db import transaction

from postroom.core.mail.models import Content, SenderAccount, TrackedLink
from postroom.core.mail.rules import compose
from postroom.core.mail.selectors.senders import get_sender
from postroom.core.mail.types import Composition, MessageClass
from postroom.core.workspaces.models import Workspace


@transaction.atomic
def freeze_content(
    *,
    workspace: Workspace,
    composition: Composition,
    message_class: MessageClass,
    now: datetime,
    sender_id: int | None = None,
    from_name: str = "",
) -> Content:
    """Return the stored frozen form of a composition, the same row for the same composition under the same name.

    The sender's domain says whether opens and clicks are tracked; both are without a domain, neither is in system mail.
    Raises BadComposition or TemplateRefused, and NoSuchSender.
    """
    sender = get_sender(workspace=workspace, sender_id=sender_id) if sender_id is not None else None
    # Nobody watches whether a person opens what the system wrote to them.
    tracks_opens, tracks_clicks = (False, False) if message_class is MessageClass.SYSTEM else _tracking(sender)
    frozen = compose.freeze(
        composition, message_class=message_class, tracks_opens=tracks_opens, tracks_clicks=tracks_clicks
    )
    digest = _digest(frozen, from_name, tracks_opens=tracks_opens, tracks_clicks=tracks_clicks)
    content, is_new = Content.objects.get_or_create(
        workspace=workspace,
        digest=digest,
        defaults={
            "from_name": from_name,
            "subject": frozen.subject,
            "html": frozen.html,
            "text": frozen.text,
            "tracks_opens": tracks_opens,
            "tracks_clicks": tracks_clicks,
            "created_at": now,
        },
    )
    if is_new:
        TrackedLink.objects.bulk_create(
            TrackedLink(content=content, index=link.index, url=link.url, label=link.label[:200])
            for link in frozen.links
        )
    return content


def _tracking(sender: SenderAccount | None) -> tuple[bool, bool]:
    domain = sender.domain if sender else None
    return (domain.tracks_opens, domain.tracks_clicks) if domain else (True, True)


def _digest(frozen: compose.FrozenContent, from_name: str, *, tracks_opens: bool, tracks_clicks: bool) -> bytes:
    links = [[link.index, link.url, link.label] for link in frozen.links]
    whole = [frozen.subject, frozen.html, frozen.text, links, tracks_opens, tracks_clicks]
    if from_name:
        whole.append(from_name)
    return hashlib.sha256(json.dumps(whole).encode()).digest()
