"""Taking an erased person out of the calls about them, and out of what was answered."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.db import connection

_SCRUB: Final = """
UPDATE webhooks_call c SET data = '{}', answer = '', error = '',
    status = CASE WHEN c.finished_at IS NULL THEN 'discarded' ELSE c.status END,
    finished_at = coalesce(c.finished_at, now()), next_attempt_at = NULL
FROM webhooks_endpoint e JOIN workspaces_workspace w ON w.id = e.workspace_id
WHERE e.id = c.endpoint_id AND w.organization_id = %(organization)s
    AND (c.contact_id = ANY(%(contacts)s) OR c.data::text ~* ANY(%(needles)s) OR c.answer ~* ANY(%(needles)s))
    AND (c.data <> '{}' OR c.answer <> '' OR c.error <> '' OR c.finished_at IS NULL)
"""


def scrub_calls(*, organization_id: int, contact_ids: Collection[int], needles: Sequence[str]) -> None:
    """Blank what was told about people, and what came back; ``needles`` are patterns that find them. Safe to repeat.

    What has not been told yet is told no more.
    """
    values: dict[str, Any] = {"organization": organization_id, "contacts": list(contact_ids), "needles": list(needles)}
    with connection.cursor() as cursor:
        cursor.execute(_SCRUB, values)
