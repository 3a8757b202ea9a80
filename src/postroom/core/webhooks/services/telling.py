"""Telling webhooks what happened, within the transaction that made it true: one statement, however much it is."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.selectors.ears import is_heard
from postroom.core.webhooks.types import NOTIFY_CALLS, Occasion
from postroom.kit.ids import uuid7
from postroom.kit.notify import notify

# UUIDv7 (RFC 9562, section 5.7) under the time of the telling. They need to be different and not secret: the server's
# own random numbers cost a fifth of those of ``gen_random_uuid``.
UUID7: Final = """
(%(telling_time)s || '7' || lpad(to_hex((random() * 4095)::int), 3, '0') || to_hex(8 + (random() * 3)::int)
    || lpad(to_hex((random() * 4294967295)::bigint), 8, '0') || lpad(to_hex((random() * 134217727)::int), 7, '0'))::uuid
"""

_TELL: Final = """
INSERT INTO webhooks_call (uid, endpoint_id, type, data, contact_id, next_attempt_at, created_at)
SELECT {uuid7}, e.id, o.type, o.data, o.contact_id, %(telling_now)s, %(telling_now)s
FROM ({rows}) AS o
JOIN webhooks_endpoint e ON e.workspace_id = o.workspace_id AND e.status = 'active'
JOIN json_to_recordset(%(telling_words)s::json) AS word (type text, door text, name text)
    ON word.type = o.type AND word.door = e.door
WHERE (e.event_types = '{{}}' OR word.name = ANY(e.event_types))
    AND (e.mail_domains = '{{}}' OR o.mail_domain = '' OR lower(o.mail_domain) = ANY(e.mail_domains))
"""

_GIVEN: Final = """
SELECT %(telling_workspace)s::bigint AS workspace_id, * FROM json_to_recordset(%(telling_occasions)s::json)
    AS one (type text, data jsonb, mail_domain text, contact_id bigint)
"""


def tell(*, workspace_id: int, occasions: Sequence[Occasion], now: datetime) -> int:
    """Write down a call for each webhook of a workspace that wants one of the occasions; return how many."""
    types = {one.type for one in occasions}
    if not types or not is_heard(*types, workspace_ids=(workspace_id,)):
        return 0
    rows = [
        {"type": one.type, "data": dict(one.data), "mail_domain": one.mail_domain, "contact_id": one.contact_id}
        for one in occasions
    ]
    parameters = {"telling_workspace": workspace_id, "telling_occasions": json.dumps(rows)}
    return tell_rows(rows=_GIVEN, parameters=parameters, now=now)


def tell_rows(*, rows: str, parameters: Mapping[str, Any], now: datetime) -> int:
    """Write down calls for occasions that a query of the caller's finds, without fetching them; return how many.

    ``rows`` is a constant SELECT with named parameters that has ``workspace_id``, ``type``, ``data`` (jsonb),
    ``mail_domain`` (empty: about no mail) and ``contact_id``. Ask ``is_heard`` before: this one asks the database.
    """
    statement = _TELL.format(uuid7=UUID7, rows=rows)
    with connection.cursor() as cursor:
        said: dict[str, Any] = {"telling_now": now, "telling_words": _words(), "telling_time": uuid7().hex[:12]}
        cursor.execute(statement, {**parameters, **said})
        count = int(cursor.rowcount)
    if count:
        notify(NOTIFY_CALLS)
    return count


def _words() -> str:
    """Return what each door calls each event."""
    return json.dumps(
        [
            {"type": core, "door": door, "name": name}
            for door, writer in writers().items()
            for core, name in writer.types.items()
        ]
    )
