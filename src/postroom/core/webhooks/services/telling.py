"""Telling webhooks what happened, within the transaction that made it true: one statement, however much it is."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from postroom.core.webhooks.ports import writers
from postroom.core.webhooks.selectors.ears import is_heard
from postroom.core.webhooks.types import NOTIFY_CALLS, Occasion
from postroom.kit.notify import notify

# UUIDv7 (RFC 9562, section 5.7), for servers that cannot make one themselves: of a random one, the first 48 bits become
# the time and the version becomes 7.
UUID7: Final = """
encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
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
        cursor.execute(statement, {**parameters, "telling_now": now, "telling_words": _words()})
        count = cursor.rowcount
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
