"""What happens in a quarter of an hour is counted for each sender account, so that it can be told by domain.

The triggers are those of 0007 with one column more. What was counted before is told apart as far as the ledger knows;
the rest stays nobody's.
"""

# ruff: noqa: S608 - statements made of constants

from importlib import import_module

from django.db import migrations

before = import_module("postroom.core.mail.migrations.0007_tallies")

COLUMNS = f"sender_id, {before.COLUMNS}"
ADDED = f"(SELECT 1 AS sign, {COLUMNS} FROM new_rows)"
CHANGED = f"({ADDED[1:-1]} UNION ALL SELECT -1, {COLUMNS} FROM old_rows)"
LEDGER = f"(SELECT 1 AS sign, {COLUMNS} FROM mail_message)"
NAMES = ", ".join(before.DEEDS)


def _pace(rows: str, is_folded: str) -> str:
    deeds = ", ".join(f"('{name}', {at})" for name, at in before.DEEDS.items())
    sums = ", ".join(f"coalesce(sum(d.sign) FILTER (WHERE d.name = '{name}'), 0) AS {name}" for name in before.DEEDS)
    return f"""
INSERT INTO mail_pace (workspace_id, sender_id, at, is_folded, {NAMES})
SELECT workspace_id, sender_id, at, {is_folded}, {NAMES} FROM (
    SELECT d.workspace_id, d.sender_id, date_bin('15 minutes', d.at, 'epoch') AS at, {sums} FROM (
        SELECT m.sign, m.workspace_id, m.sender_id, deed.name, deed.at
        FROM {rows} m CROSS JOIN LATERAL (VALUES {deeds}) AS deed(name, at)
        WHERE NOT m.is_test AND deed.at IS NOT NULL
    ) d GROUP BY 1, 2, 3
) t WHERE ({NAMES}) IS DISTINCT FROM ({", ".join("0" for _ in before.DEEDS)});
"""


def _function(act: str, tally: str, pace: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION mail_tally_{act}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{tally}
{pace}
    RETURN NULL;
END $$;
"""


FUNCTIONS = _function("insert", before._tally(ADDED, "false"), _pace(ADDED, "false")) + _function(
    "update", before._tally(CHANGED, "false"), _pace(CHANGED, "false")
)
UNDONE = (
    _function("insert", before._tally(before.ADDED, "false"), before._pace(before.ADDED, "false"))
    + _function("update", before._tally(before.CHANGED, "false"), before._pace(before.CHANGED, "false"))
    + "UPDATE mail_pace SET is_folded = false;"
)
TOLD_APART = f"""
{_pace(LEDGER, "true")}
INSERT INTO mail_pace (workspace_id, at, is_folded, {NAMES})
SELECT workspace_id, at, false, {", ".join(f"-sum({name})" for name in before.DEEDS)} FROM mail_pace
WHERE sender_id IS NOT NULL GROUP BY 1, 2;
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0010_api")]

    operations = [
        migrations.RunSQL(FUNCTIONS, UNDONE),
        migrations.RunSQL(TOLD_APART, migrations.RunSQL.noop),
    ]
