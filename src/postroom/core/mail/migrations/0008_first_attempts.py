"""Messages that wait after a temporary refusal are given up five days after the first one, so they need its date."""

from django.db import migrations

FIRST_ATTEMPTS = """
UPDATE mail_message m SET first_attempt_at = coalesce(
    (SELECT min(e.at) FROM mail_deliveryevent e WHERE e.message_id = m.id AND e.type = 'deferred'), m.created_at)
WHERE m.status IN ('queued', 'claimed', 'deferred') AND m.tries > 0 AND m.first_attempt_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0007_tallies")]

    operations = [migrations.RunSQL(FIRST_ATTEMPTS, migrations.RunSQL.noop)]
