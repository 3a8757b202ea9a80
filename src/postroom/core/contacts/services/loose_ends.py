"""Removes join rows that have lost one of their ends: the net under the rule that whoever deletes locks first."""

from typing import Final

from django.db import connection, transaction

_ENDS: Final = (
    ("contacts_contactworkspace", "contact_id", "contacts_contact"),
    ("contacts_contactworkspace", "workspace_id", "workspaces_workspace"),
    ("contacts_contacttag", "contact_id", "contacts_contact"),
    ("contacts_contacttag", "tag_id", "contacts_tag"),
    ("contacts_listmember", "contact_id", "contacts_contact"),
    ("contacts_listmember", "list_id", "contacts_list"),
)


def remove_loose_ends() -> int:
    """Delete join rows whose person, workspace, tag or list is gone; return how many there were.

    Safe beside everything else: a row and its ends become visible together.
    """
    return sum(_remove(table, column, target) for table, column, target in _ENDS)


@transaction.atomic
def _remove(table: str, column: str, target: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} j WHERE NOT EXISTS (SELECT FROM {target} t WHERE t.id = j.{column})"  # noqa: S608
        )
        count: int = cursor.rowcount
        return count
