"""Gives everybody stored before search as you type their words; each batch commits, so a stopped run goes on."""

from typing import Any, Final

from django.db import migrations

from postroom.core.contacts.rules import search_words

BATCH_SIZE: Final = 2_000
_NEXT: Final = """
SELECT id, email, first_name, last_name, company FROM contacts_contact
WHERE search IS NULL AND id > %s ORDER BY id LIMIT %s
"""
_WRITE: Final = "UPDATE contacts_contact SET search = array_to_tsvector(%s::text[]) WHERE id = %s"


def write_words(_apps: Any, schema_editor: Any) -> None:
    """Write the words of everybody who has none yet."""
    position = 0
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(_NEXT, [position, BATCH_SIZE])
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.executemany(_WRITE, [(_words(*texts), key) for key, *texts in rows])
            position = rows[-1][0]


def _words(email: str | None, first_name: str, last_name: str, company: str) -> list[str]:
    return search_words(email=email, first_name=first_name, last_name=last_name, company=company)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0002_people")]
    operations = [migrations.RunPython(write_words, migrations.RunPython.noop)]
