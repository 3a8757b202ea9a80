"""Daily limits of sender accounts become limits like any other, and accounts with one say so."""

from django.db import migrations

MOVE = """
WITH moved AS (
    INSERT INTO mail_limit (uid, workspace_id, sender_id, destination, most, per, is_spread, days, zone, created_at)
    SELECT gen_random_uuid(), s.workspace_id, s.id, '', s.daily_limit, 'day', false, '{}', 'workspace', now()
    FROM mail_senderaccount s WHERE s.daily_limit IS NOT NULL
    RETURNING id
)
INSERT INTO mail_limituse (limit_id, newest, counts, paced_at) SELECT id, 0, '{}', 0 FROM moved;
UPDATE mail_senderaccount SET is_limited = true, daily_limit = NULL WHERE daily_limit IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0008_first_attempts")]

    operations = [migrations.RunSQL(MOVE, migrations.RunSQL.noop)]
