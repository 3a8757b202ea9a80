"""Segments over people who were written to: a mail history of any size, and what questions about it cost."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from postroom.core.mail.models import Batch
    from postroom.core.workspaces.models import Workspace

CAMPAIGNS: Final = 200
_EVERY: Final = timedelta(days=1)

_MESSAGES: Final = """
INSERT INTO mail_message (
    id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, list_ids, message_class, is_test, from_address,
    "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority, owner, attempt,
    tries, is_resent, reply_code, reply_text, provider_id, created_at, sent_at, bounce_code, open_count,
    machine_open_count, click_count, scanner_click_count
)
SELECT nextval('mail_message_id'), gen_random_uuid(), %(workspace)s, %(batch)s, %(sender)s, %(content)s, c.id, '[]',
    'marketing', false, '', jsonb_build_array(c.email), '[]', '[]', '[]', '{}',
    jsonb_build_object('name', c.first_name),
    'm' || c.id || '.' || %(batch)s || '@news.example.com', '', 'sent', 1, '', 1, 1,
    false, 250, '250 2.0.0 Ok: queued', '', %(at)s, %(at)s::timestamptz + interval '1 minute', '', 0, 0, 0, 0
FROM contacts_contactworkspace w JOIN contacts_contact c ON c.id = w.contact_id
WHERE w.workspace_id = %(workspace)s AND c.email IS NOT NULL AND c.id %% %(every)s = %(rest)s
"""
# Shares in thousandths of the messages of a campaign, spread over the days after it by a hash of the message's number.
_DEEDS: Final = (
    ("opened", False, 300),
    ("opened", True, 150),
    ("clicked", False, 60),
    ("bounced", False, 10),
    ("unsubscribed", False, 3),
    ("complained", False, 1),
)
_EVENTS: Final = """
INSERT INTO mail_deliveryevent (at, key, workspace_id, message_id, contact_id, batch_id, type, agent, ip, is_bot, data)
SELECT m.sent_at + ((hashint8(m.id) & 4095) || ' minutes')::interval, d.type || '.' || d.is_bot || '.' || m.id,
    m.workspace_id, m.id, m.contact_id, m.batch_id, d.type,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', '203.0.113.0', d.is_bot, '{}'
FROM mail_message m
CROSS JOIN unnest(%(types)s::text[], %(bots)s::boolean[], %(shares)s::integer[]) AS d(type, is_bot, share)
WHERE m.batch_id = %(batch)s AND mod(abs(hashint8(m.id + hashtext(d.type || d.is_bot))::bigint), 1000) < d.share
"""


def write_mail(workspace: "Workspace", *, messages: int, campaigns: int = CAMPAIGNS) -> None:
    """Give a workspace the history of ``campaigns`` daily newsletters to a part of its people each."""
    from django.db import connection

    from postroom.core.contacts.models import ContactWorkspace
    from postroom.kit import clock

    people = ContactWorkspace.objects.filter(workspace=workspace).count()
    every = max(1, round(people * campaigns / messages))
    for number in range(campaigns):
        at = clock.now() - _EVERY * (campaigns - number)
        batch = _write_campaign(workspace, number, at)
        params: dict[str, Any] = {"workspace": workspace.pk, "batch": batch.pk, "at": at}
        params |= {"sender": batch.sender_id, "content": batch.content_id}
        types, bots, shares = (list(column) for column in zip(*_DEEDS, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_MESSAGES, {**params, "every": every, "rest": number % every})
            cursor.execute(_EVENTS, {"batch": batch.pk, "types": types, "bots": bots, "shares": shares})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE mail_message")
        cursor.execute("VACUUM ANALYZE mail_deliveryevent")


def _write_campaign(workspace: "Workspace", number: int, at: datetime) -> "Batch":
    """Store a campaign that is over, and the month its events fall into."""
    from postroom.core.campaigns.models import Campaign
    from postroom.core.campaigns.types import CampaignStatus
    from postroom.core.mail import services as mail
    from postroom.core.mail.models import Batch
    from postroom.core.mail.types import BatchStatus, Composition, MessageClass
    from postroom.core.workspaces.types import SYSTEM

    mail.ensure_partitions(now=at)
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=at)
    content = mail.freeze_content(
        workspace=workspace,
        composition=Composition(subject="News", body="<p>Hello {{ first_name }}</p>"),
        message_class=MessageClass.MARKETING,
        now=at,
    )
    batch = Batch.objects.create(
        workspace=workspace,
        sender=sender,
        content=content,
        message_class=MessageClass.MARKETING,
        status=BatchStatus.DONE,
        created_at=at,
        finished_at=at,
    )
    Campaign.objects.create(
        workspace=workspace,
        name=f"Letter {number}",
        sender=sender,
        batch=batch,
        status=CampaignStatus.SENT,
        created_at=at,
        updated_at=at,
    )
    return batch
