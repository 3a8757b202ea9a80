"""Keys become rows of their own, so that a new one can take over from an old one; those there go on signing.

Domains that are here already are looked up at once.
"""

import django.db.models.deletion
from django.db import migrations, models

import postroom.kit.ids

_MOVE = """
INSERT INTO mail_dkimkey (uid, domain_id, selector, algorithm, state, private, public, created_at, activated_at)
SELECT gen_random_uuid(), id, selector, 'rsa', 'active', rsa_private, rsa_public, created_at, created_at
FROM mail_domain WHERE rsa_private <> ''
UNION ALL
SELECT gen_random_uuid(), id, selector || '-ed', 'ed25519', 'active', ed25519_private, ed25519_public, created_at,
    created_at
FROM mail_domain WHERE ed25519_private <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_people")]

    operations = [
        migrations.CreateModel(
            name="DkimKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=postroom.kit.ids.uuid7, editable=False, unique=True)),
                ("selector", models.CharField(max_length=63)),
                ("algorithm", models.CharField(choices=[("rsa", "Rsa"), ("ed25519", "Ed25519")], max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("active", "Active"), ("retired", "Retired")], max_length=8
                    ),
                ),
                ("private", models.TextField(blank=True, default="")),
                ("public", models.TextField()),
                ("created_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                ("activated_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="mail.domain"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("domain", "selector"), name="dkim_selector_once")],
            },
        ),
        migrations.RunSQL(_MOVE, migrations.RunSQL.noop),
        migrations.AddField("domain", "next_check_at", models.DateTimeField(null=True)),
        migrations.RunSQL("UPDATE mail_domain SET next_check_at = now()", migrations.RunSQL.noop),
        *(
            migrations.RemoveField("domain", name)
            for name in (
                *("selector", "rsa_private", "rsa_public", "ed25519_private", "ed25519_public"),
                "verification",
            )
        ),
    ]
