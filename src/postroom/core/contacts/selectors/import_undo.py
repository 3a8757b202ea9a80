"""Who of the people an import brought stays when it is undone, and why."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from postroom.core.contacts import ports
from postroom.core.contacts.models import ImportBatch, ImportRun
from postroom.core.contacts.types import Deed, KeptBy, UndoForecast
from postroom.core.events.selectors import contacts_with_events
from postroom.kit.arrays import array_text

FORECAST_BATCHES: Final = 2

# Whatever happened to a person after the import had ended, each on an index by contact; bulk changes of tags, which
# leave no time on what they change, are looked up from their own side.
_JUDGE: Final = """
SELECT c.id,
    EXISTS (SELECT FROM contacts_contactworkspace w WHERE w.contact_id = c.id AND w.workspace_id <> %(workspace)s),
    EXISTS (SELECT FROM {sent} AND x.contact_id = c.id),
    c.updated_at > %(since)s
        OR EXISTS (SELECT FROM contacts_listmember m WHERE m.contact_id = c.id AND m.updated_at > %(since)s)
        OR EXISTS (SELECT FROM contacts_consent s WHERE s.contact_id = c.id AND s.updated_at > %(since)s)
        OR EXISTS (SELECT FROM contacts_consentchange p WHERE p.contact_id = c.id AND p.at > %(since)s)
        OR EXISTS (SELECT FROM contacts_accountcontact a WHERE a.contact_id = c.id AND a.created_at > %(since)s)
        OR EXISTS (SELECT FROM contacts_interaction i WHERE i.contact_id = c.id)
        OR EXISTS (SELECT FROM contacts_contactalias o WHERE o.contact_id = c.id)
FROM contacts_contact c WHERE c.id = ANY(%(ids)s::bigint[])
"""
_TAGGED: Final = """
SELECT u.id FROM contacts_bulkrun r JOIN contacts_bulkchange b ON b.run_id = r.id CROSS JOIN unnest(b.contact_ids) u(id)
WHERE r.workspace_id = %(workspace)s AND r.action IN ('tag', 'untag') AND r.created_at > %(since)s
    AND u.id = ANY(%(ids)s::bigint[])
"""


def judge_people(*, run: ImportRun, contact_ids: Sequence[int]) -> dict[int, KeptBy | None]:
    """Return what keeps each of the people who are still there, None for whom the import's undo may delete."""
    params = {"workspace": run.workspace_id, "since": run.finished_at, "ids": array_text(contact_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_TAGGED, params)
        changed = {key for (key,) in cursor.fetchall()} | contacts_with_events(contact_ids=contact_ids)
        cursor.execute(_JUDGE.format(sent=ports.deed_rows(Deed.SENT).source), params)
        return {key: _judge(*facts, key in changed) for key, *facts in cursor.fetchall()}


def forecast_undo(*, run: ImportRun) -> UndoForecast:
    """Return how many people undoing an import would delete and keep, judged by its first batches."""
    batches = ImportBatch.objects.filter(run=run, is_undone=False).order_by("first_row")
    first = batches.values_list("created_ids", flat=True)[:FORECAST_BATCHES]
    ids = [key for created in first for key in created]
    reasons = list(judge_people(run=run, contact_ids=ids).values())
    return UndoForecast(
        judged=len(ids),
        is_everybody=batches.count() <= FORECAST_BATCHES,
        deleted=reasons.count(None),
        kept={reason: reasons.count(reason) for reason in KeptBy if reason in reasons},
    )


def _judge(is_elsewhere: bool, is_mailed: bool, *changes: bool) -> KeptBy | None:
    if is_elsewhere:
        return KeptBy.ELSEWHERE
    if is_mailed:
        return KeptBy.MAILED
    return KeptBy.CHANGED if any(changes) else None
