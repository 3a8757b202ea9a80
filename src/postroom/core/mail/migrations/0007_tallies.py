"""Triggers that keep the tallies: whatever changes the ledger, the differences are appended with it.

After each statement, not for each row: one pass over the rows that the statement touched. A row of the ledger is only
ever deleted with its whole workspace, whose tallies go as well.
"""

# ruff: noqa: S608 - statements made of constants

from django.db import migrations

STATES = {
    "booked": "true",
    "handed_over": "m.status = 'sent'",
    "delivered": "m.status = 'sent' AND m.delivered_at IS NOT NULL AND m.bounced_at IS NULL",
    "bounced": "m.bounced_at IS NOT NULL",
    "bounced_later": "m.status = 'sent' AND m.bounced_at IS NOT NULL",
    "waiting": "m.status IN ('queued', 'claimed', 'wire', 'deferred') AND m.bounced_at IS NULL",
    "in_doubt": "m.status = 'in_doubt' AND m.bounced_at IS NULL",
    "failed": "m.status = 'failed' AND m.bounced_at IS NULL",
    "suppressed": "m.status = 'suppressed'",
    "cancelled": "m.status = 'cancelled'",
    "opened": "m.opened_at IS NOT NULL",
    "machine_opened": "m.machine_opened_at IS NOT NULL",
    "clicked": "m.clicked_at IS NOT NULL",
    "scanner_clicked": "m.scanner_clicked_at IS NOT NULL",
    "complained": "m.complained_at IS NOT NULL",
    "unsubscribed": "m.unsubscribed_at IS NOT NULL",
    "replied": "m.replied_at IS NOT NULL",
}
DEEDS = {
    "sent": "coalesce(m.sent_at, m.bounced_at)",
    "delivered": "CASE WHEN m.bounced_at IS NULL THEN m.delivered_at END",
    "opened": "m.opened_at",
    "clicked": "m.clicked_at",
    "bounced": "m.bounced_at",
    "complained": "m.complained_at",
}
COLUMNS = (
    "workspace_id, batch_id, content_id, destination, status, is_test, sent_at, delivered_at, bounced_at, opened_at,"
    " machine_opened_at, clicked_at, scanner_clicked_at, complained_at, unsubscribed_at, replied_at"
)
ADDED = f"(SELECT 1 AS sign, {COLUMNS} FROM new_rows)"
CHANGED = f"({ADDED[1:-1]} UNION ALL SELECT -1, {COLUMNS} FROM old_rows)"


def _tally(rows: str, is_folded: str) -> str:
    sums = ", ".join(f"coalesce(sum(m.sign) FILTER (WHERE {rule}), 0) AS {name}" for name, rule in STATES.items())
    names = ", ".join(STATES)
    return f"""
INSERT INTO mail_tally (batch_id, destination, content_id, is_folded, {names})
SELECT batch_id, destination, content_id, {is_folded}, {names} FROM (
    SELECT m.batch_id, coalesce(nullif(m.destination, ''), 'other') AS destination, m.content_id, {sums}
    FROM {rows} m WHERE m.batch_id IS NOT NULL GROUP BY 1, 2, 3
) t WHERE ({names}) IS DISTINCT FROM ({", ".join("0" for _ in STATES)});
"""


def _pace(rows: str, is_folded: str) -> str:
    deeds = ", ".join(f"('{name}', {at})" for name, at in DEEDS.items())
    sums = ", ".join(f"coalesce(sum(d.sign) FILTER (WHERE d.name = '{name}'), 0) AS {name}" for name in DEEDS)
    names = ", ".join(DEEDS)
    return f"""
INSERT INTO mail_pace (workspace_id, at, is_folded, {names})
SELECT workspace_id, at, {is_folded}, {names} FROM (
    SELECT d.workspace_id, date_bin('15 minutes', d.at, 'epoch') AS at, {sums} FROM (
        SELECT m.sign, m.workspace_id, deed.name, deed.at
        FROM {rows} m CROSS JOIN LATERAL (VALUES {deeds}) AS deed(name, at)
        WHERE NOT m.is_test AND deed.at IS NOT NULL
    ) d GROUP BY 1, 2
) t WHERE ({names}) IS DISTINCT FROM ({", ".join("0" for _ in DEEDS)});
"""


def _trigger(act: str, tables: str, rows: str) -> str:
    return f"""
CREATE FUNCTION mail_tally_{act}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{_tally(rows, "false")}
{_pace(rows, "false")}
    RETURN NULL;
END $$;
CREATE TRIGGER tally_{act} AFTER {act} ON mail_message REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION mail_tally_{act}();
"""


LEDGER = f"(SELECT 1 AS sign, {COLUMNS} FROM mail_message)"
TRIGGERS = _trigger("insert", "NEW TABLE AS new_rows", ADDED) + _trigger(
    "update", "OLD TABLE AS old_rows NEW TABLE AS new_rows", CHANGED
)
UNDONE = "".join(
    f"DROP TRIGGER tally_{act} ON mail_message; DROP FUNCTION mail_tally_{act}();" for act in ("insert", "update")
)
HAPPENED = """
INSERT INTO mail_batchpace (batch_id, at, is_folded, opened, machine_opened, clicked, scanner_clicked)
SELECT batch_id, date_bin('15 minutes', at, 'epoch'), true, count(*) FILTER (WHERE type = 'opened' AND NOT is_bot),
    count(*) FILTER (WHERE type = 'opened' AND is_bot), count(*) FILTER (WHERE type = 'clicked' AND NOT is_bot),
    count(*) FILTER (WHERE type = 'clicked' AND is_bot)
FROM mail_deliveryevent WHERE batch_id IS NOT NULL AND type IN ('opened', 'clicked') GROUP BY 1, 2;
INSERT INTO mail_linktally (batch_id, content_id, link_index, is_folded, clicks, people, scanner_clicks)
SELECT e.batch_id, m.content_id, e.link_index, true, count(*) FILTER (WHERE NOT e.is_bot),
    count(DISTINCT e.message_id) FILTER (WHERE NOT e.is_bot), count(*) FILTER (WHERE e.is_bot)
FROM mail_deliveryevent e JOIN mail_message m ON m.id = e.message_id
WHERE e.batch_id IS NOT NULL AND e.type = 'clicked' AND e.link_index IS NOT NULL GROUP BY 1, 2, 3;
"""
# Mail to addresses that are no contact's is found by them; all other by its contact.
STRANGERS = """
CREATE INDEX message_to_strangers ON mail_message (workspace_id, ("to" ->> 0) text_pattern_ops)
    WHERE contact_id IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0006_ready")]

    operations = [
        migrations.RunSQL(TRIGGERS, UNDONE),
        migrations.RunSQL(_tally(LEDGER, "true") + _pace(LEDGER, "true"), migrations.RunSQL.noop),
        migrations.RunSQL(HAPPENED, migrations.RunSQL.noop),
        migrations.RunSQL(STRANGERS, "DROP INDEX message_to_strangers"),
    ]
