"""Chunks of batches that were under way before chunks had a time of their own may go at once."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mail", "0005_sending")]

    operations = [
        migrations.RunSQL("UPDATE mail_chunk SET ready_at = now() WHERE ready_at IS NULL", migrations.RunSQL.noop),
    ]
