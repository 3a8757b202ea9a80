"""``postroom migrate``."""

from typing import Final

from django.core import checks
from django.core.management import call_command
from django.db import connection

from postroom.config.bootstrap import Refused, describe

# Any number does, as long as nothing else in the database uses it.
LOCK: Final = 0x706F7374726F6F6D


def migrate_database() -> None:
    """Apply the migrations that are missing; a second machine doing the same waits its turn.

    Raises Refused when the server is not one we can run on.
    """
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    if errors := [message for message in found if message.is_serious()]:
        raise Refused("\n".join(describe(error) for error in errors))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # a failure ends the session, and the lock with it
        call_command("migrate", interactive=False, verbosity=1)
        call_command("createcachetable", verbosity=0)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
