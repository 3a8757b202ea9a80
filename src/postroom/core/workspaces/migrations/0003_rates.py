"""Keep the counts of requests out of the log: they are written often, and worth nothing a second later."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0002_api")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE workspaces_apirate SET UNLOGGED, SET (fillfactor = 50)",
            "ALTER TABLE workspaces_apirate SET LOGGED",
        )
    ]
