"""Telling webhooks what becomes of mail: one statement for a booking, however many messages it is about.

A campaign's messages come into being when they are handed over, so nobody hears of them as queued. What machines open
and follow is not told.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from postroom.core.mail.models import Domain
from postroom.core.mail.selectors.domains import list_record_states, state_of
from postroom.core.webhooks import selectors as listeners
from postroom.core.webhooks import services as webhooks
from postroom.core.webhooks.types import Occasion
from postroom.kit.arrays import array_text, text_array_text
from postroom.kit.types import JSONObject

_STATES: Final = (
    *("email.queued", "email.sent", "email.delivered", "email.delivery_delayed", "email.bounced", "email.rejected"),
    *("email.rendering_failure", "email.failed", "email.suppressed", "email.cancelled"),
)
_HITS: Final = (
    *("email.delivered", "email.delivery_delayed", "email.failed", "email.bounced", "email.complained"),
    *("email.opened", "email.clicked"),
)

# An erased person's mail is nobody's to hear of, and a test is no news.
_MESSAGE: Final = """
SELECT m.workspace_id, told.type, m.contact_id, coalesce(d.name, split_part(s.from_email, '@', 2)) AS mail_domain,
    told.more || jsonb_build_object(
        'message', m.uid, 'at', told.at, 'to', m."to", 'domain', s.domain_id, 'batch', m.batch_id, 'contact', p.uid,
        'from', coalesce(nullif(m.from_address, ''), nullif(b.from_address, ''),
            CASE WHEN coalesce(nullif(c.from_name, ''), s.from_name) = '' THEN s.from_email
                ELSE coalesce(nullif(c.from_name, ''), s.from_name) || ' <' || s.from_email || '>' END),
        'subject', coalesce(l.subject, c.subject, '')
    ) AS data
FROM mail_message m
JOIN mail_senderaccount s ON s.id = m.sender_id
LEFT JOIN mail_domain d ON d.id = s.domain_id
LEFT JOIN mail_batch b ON b.id = m.batch_id
LEFT JOIN mail_content c ON c.id = m.content_id
LEFT JOIN mail_letter l ON l.message_id = m.id AND m.content_id IS NULL
LEFT JOIN contacts_contact p ON p.id = m.contact_id
{told}
WHERE {which} AND NOT m.is_test AND m."to" <> '[]'
"""

_TOLD_STATE: Final = """
CROSS JOIN LATERAL (
    SELECT CASE m.status WHEN 'queued' THEN 'email.queued' WHEN 'sent' THEN 'email.sent'
            WHEN 'suppressed' THEN 'email.suppressed' WHEN 'cancelled' THEN 'email.cancelled'
            WHEN 'deferred' THEN CASE WHEN m.tries = 1 THEN 'email.delivery_delayed' END
            WHEN 'failed' THEN CASE WHEN m.id = ANY(%(telling_rejected)s::bigint[]) THEN 'email.rejected'
                WHEN m.bounced_at IS NOT NULL THEN 'email.bounced'
                WHEN m.content_id IS NULL THEN 'email.rendering_failure' ELSE 'email.failed' END END AS type,
        CASE m.status WHEN 'sent' THEN m.sent_at ELSE %(telling_at)s END AS at,
        CASE WHEN m.status IN ('failed', 'deferred', 'suppressed') THEN jsonb_build_object(
            'code', m.reply_code, 'status', m.bounce_code, 'reason', m.reply_text) ELSE '{}' END AS more
    UNION ALL
    SELECT 'email.delivered', m.delivered_at, '{}' WHERE m.status = 'sent' AND m.delivered_at IS NOT NULL
) AS told
"""
_BY_STATE: Final = _MESSAGE.replace("{told}", _TOLD_STATE).replace(
    "{which}", "m.id = ANY(%(telling_messages)s::bigint[]) AND told.type IS NOT NULL"
)

# That a provider took a message was told when it was handed over.
_TOLD_HIT: Final = """
JOIN unnest(%(telling_messages)s::bigint[], %(telling_keys)s::text[]) AS hit (message_id, key)
    ON hit.message_id = m.id
JOIN mail_deliveryevent ev ON ev.message_id = m.id AND ev.key = hit.key AND NOT ev.is_bot
LEFT JOIN mail_trackedlink link ON link.content_id = m.content_id AND link.index = ev.link_index
CROSS JOIN LATERAL (
    SELECT CASE ev.type WHEN 'delivered' THEN 'email.delivered' WHEN 'deferred' THEN 'email.delivery_delayed'
            WHEN 'failed' THEN 'email.failed' WHEN 'bounced' THEN 'email.bounced'
            WHEN 'complained' THEN 'email.complained' WHEN 'opened' THEN 'email.opened'
            WHEN 'clicked' THEN 'email.clicked' END AS type, ev.at,
        CASE WHEN ev.type IN ('opened', 'clicked') THEN jsonb_build_object(
            'agent', ev.agent, 'ip', ev.ip, 'url', coalesce(link.url, ev.data ->> 'url')) ELSE ev.data END AS more
) AS told
"""
_BY_HIT: Final = _MESSAGE.replace("{told}", _TOLD_HIT).replace("{which}", "told.type IS NOT NULL")


def tell_messages(
    *, workspace_ids: Collection[int], message_ids: Sequence[int], now: datetime, rejected: Sequence[int] = ()
) -> None:
    """Tell of messages what their rows say now; call it within the transaction that wrote them.

    ``rejected`` are those of them that whoever carries our mail refused, not who was to get them.
    """
    if not message_ids or not listeners.is_heard(*_STATES, workspace_ids=workspace_ids):
        return
    parameters = {
        "telling_messages": array_text(message_ids),
        "telling_rejected": array_text(rejected),
        "telling_at": now,
    }
    webhooks.tell_rows(rows=_BY_STATE, parameters=parameters, now=now)


def hits_are_heard(*, workspace_ids: Collection[int]) -> bool:
    """Whether anybody wants to hear of what happens to messages after they were handed over."""
    return listeners.is_heard(*_HITS, workspace_ids=workspace_ids)


def tell_hits(*, hits: Sequence[tuple[int, str]], now: datetime) -> None:
    """Tell of events that were just applied, by message and key."""
    if hits:
        parameters: dict[str, Any] = {
            "telling_messages": array_text([message_id for message_id, _ in hits]),
            "telling_keys": text_array_text([key for _, key in hits]),
        }
        webhooks.tell_rows(rows=_BY_HIT, parameters=parameters, now=now)


def tell_domain(*, domain: Domain, type: str, now: datetime) -> None:
    """Tell of a sending domain as it is now, in the transaction that made it so."""
    if listeners.is_heard(type, workspace_ids=(domain.workspace_id,)):
        occasion = Occasion(type, _domain_facts(domain, now), mail_domain=domain.name)
        webhooks.tell(workspace_id=domain.workspace_id, occasions=(occasion,), now=now)


def _domain_facts(domain: Domain, now: datetime) -> JSONObject:
    """Of several records for one purpose, that which mail needs says how it stands."""
    instants = ("created_at", "updated_at", "verified_at", "checked_at", "verify_wanted_at")
    needed_first = sorted(list_record_states(domain=domain), key=lambda one: not one.record.is_required)
    states: JSONObject = {}
    for state in needed_first:
        states.setdefault(state.record.purpose.value, state.status.value)
    return {
        "id": domain.pk,
        "name": domain.name,
        "state": state_of(domain=domain, now=now).value,
        "region": domain.region,
        "tracks_clicks": domain.tracks_clicks,
        "tracks_opens": domain.tracks_opens,
        "records": states,
        "needed": [*sorted({one.record.purpose.value for one in needed_first if one.record.is_required})],
        **{name: at.isoformat() if (at := getattr(domain, name)) else None for name in instants},
    }
