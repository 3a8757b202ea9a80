"""Files that go with messages: each stored once per workspace, named by the messages they go with."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from postroom.core.mail.models import AttachedFile, Message
from postroom.core.mail.types import Attachment
from postroom.kit.types import JSONValue

_NAMED: Final = """
SELECT DISTINCT (a ->> 'file')::bigint FROM mail_message m, jsonb_array_elements(m.attachments) a WHERE m.id = ANY(%s)
"""
_DELETE_UNUSED: Final = """
DELETE FROM mail_attachedfile f WHERE f.id = ANY(%(files)s) AND NOT EXISTS (
    SELECT FROM mail_message m, jsonb_array_elements(m.attachments) a
    WHERE m.workspace_id = f.workspace_id AND m.attachments <> '[]' AND (a ->> 'file')::bigint = f.id)
"""


def store_attachments(*, workspace_id: int, attachments: Sequence[Attachment], now: datetime) -> list[JSONValue]:
    """Keep the octets of checked files and return what a message remembers of each. The caller has a transaction."""
    if not attachments:
        return []
    digests = [hashlib.sha256(one.content).digest() for one in attachments]
    fresh = {
        digest: AttachedFile(
            workspace_id=workspace_id, digest=digest, size=len(one.content), content=one.content, created_at=now
        )
        for digest, one in sorted(zip(digests, attachments, strict=True), key=lambda pair: pair[0])
    }
    # A file that is there already is written over with itself: that locks it, so that nobody finds it unused meanwhile.
    AttachedFile.objects.bulk_create(
        fresh.values(), update_conflicts=True, update_fields=["size"], unique_fields=["workspace", "digest"]
    )
    return [
        {"file": fresh[digest].pk, "name": one.name, "type": one.content_type, "content_id": one.content_id}
        for digest, one in zip(digests, attachments, strict=True)
    ]


def load_attachments(*, rows: Sequence[Message]) -> Mapping[int, tuple[Attachment, ...]]:
    """Return the files that go with each of these messages, with one statement, or none where none has any."""
    named = {one["file"] for row in rows for one in row.attachments}
    if not named:
        return {}
    contents = dict(AttachedFile.objects.filter(pk__in=named).values_list("pk", "content"))
    return {
        row.pk: tuple(
            Attachment(one["name"], one["type"], bytes(contents[one["file"]]), one["content_id"])
            for one in row.attachments
        )
        for row in rows
        if row.attachments
    }


def forget_files(*, message_ids: Sequence[int]) -> None:
    """Take the files off these messages, and delete those that no other message names. The caller has a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [list(message_ids)])
        files = [number for (number,) in cursor.fetchall()]
        if not files:
            return
        cursor.execute("UPDATE mail_message SET attachments = '[]' WHERE id = ANY(%s)", [list(message_ids)])
        # Locked by a statement of its own: the next one sees whatever message took one of them before.
        cursor.execute("SELECT FROM mail_attachedfile WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [files])
        cursor.execute(_DELETE_UNUSED, {"files": files})
