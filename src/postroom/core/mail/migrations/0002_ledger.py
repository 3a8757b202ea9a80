"""What the model language cannot say: the ledger's sequence, and delivery events partitioned by month."""

from django.db import migrations

SEQUENCE = "CREATE SEQUENCE mail_message_id AS bigint"

PARTITIONED = """
ALTER TABLE mail_deliveryevent RENAME TO mail_deliveryevent_plain;
CREATE TABLE mail_deliveryevent (LIKE mail_deliveryevent_plain INCLUDING DEFAULTS, PRIMARY KEY (at, key))
    PARTITION BY RANGE (at);
DROP TABLE mail_deliveryevent_plain;
CREATE INDEX delivery_by_message ON mail_deliveryevent (message_id, at);
CREATE INDEX delivery_by_batch ON mail_deliveryevent (batch_id, type, at);
CREATE INDEX delivery_by_contact ON mail_deliveryevent (contact_id, at DESC);
CREATE TABLE mail_deliveryevent_default PARTITION OF mail_deliveryevent DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0001_initial")]

    operations = [
        migrations.RunSQL(SEQUENCE, "DROP SEQUENCE mail_message_id"),
        migrations.RunSQL(PARTITIONED, migrations.RunSQL.noop),
    ]
