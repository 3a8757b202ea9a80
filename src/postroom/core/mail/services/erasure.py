"""Takes an erased person out of the ledger and everything around it. That mail was sent, and what came of it, stays
countable; to whom, with which words, and from where it was read goes.
"""

from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction

from postroom.core.contacts.types import ErasedPerson
from postroom.core.mail.services.attachments import forget_files
from postroom.core.mail.services.transcripts import scrub_transcripts
from postroom.core.workspaces.models import Workspace
from postroom.kit.needles import like_patterns, word_patterns

# Everything is found by an index but the mails that name the person among others, for which one pass over the ledgers
# of the organization is made.
_IS_UNDER_WAY: Final = """
SELECT EXISTS (SELECT FROM mail_message m WHERE m.id = ANY(%(named)s) AND m.status IN ('claimed', 'wire'))
    OR EXISTS (SELECT FROM mail_batch b JOIN mail_recipient r ON r.batch_id = b.id AND r.contact_id = ANY(%(people)s)
        JOIN mail_chunk c ON c.batch_id = b.id AND c.number = r.chunk_number AND c.status = 'claimed'
        WHERE b.workspace_id = ANY(%(rooms)s))
"""
# A mail to one alone is theirs whatever address they had then; of one to several, the others keep theirs.
_NAMED: Final = """
SELECT id, ("to" || cc || bcc) - %(addresses)s::text[] = '[]'
    OR contact_id = ANY(%(people)s) AND jsonb_array_length("to" || cc || bcc) = 1 FROM mail_message
WHERE contact_id = ANY(%(people)s) OR (workspace_id = ANY(%(rooms)s)
    AND ("to" ?| %(addresses)s::text[] OR cc ?| %(addresses)s::text[] OR bcc ?| %(addresses)s::text[]))
"""
_OWN_CONTENTS: Final = """
SELECT c.id, c.digest = sha256(('erased ' || c.id)::bytea) FROM mail_content c
WHERE c.id IN (SELECT content_id FROM mail_message WHERE id = ANY(%(own)s))
    AND NOT EXISTS (SELECT FROM mail_batch b WHERE b.content_id = c.id)
    AND c.id NOT IN (SELECT content_id FROM mail_message
        WHERE workspace_id = ANY(%(rooms)s) AND id <> ALL(%(own)s) AND batch_id IS NULL AND content_id IS NOT NULL)
"""
# Somebody may be about to send the same words to another. Under its new digest a content is found by nobody any more;
# whoever had found it before has written their message down by the time that we come back.
_RETIRE: Final = "UPDATE mail_content SET digest = sha256(('erased ' || id)::bytea) WHERE id = ANY(%s)"
# What waits is not sent any more. The fence would see to that as well, but only once its turn comes; and what no sender
# can take any more gets no content from its letter either.
_STOP: Final = """
UPDATE mail_message SET status = 'suppressed', reply_text = 'erased', next_attempt_at = NULL
WHERE id = ANY(%(own)s) AND status IN ('queued', 'deferred')
"""
_STEPS: Final = (
    # Mail that went to the address before anybody knew whose it was is the person's, too: so it is found again.
    """
    UPDATE mail_message SET "to" = '[]', cc = '[]', bcc = '[]', headers = '{}', slots = '{}', shown = '{}',
        contact_id = coalesce(contact_id, %(person)s)
    WHERE id = ANY(%(own)s)
        AND ("to" <> '[]' OR headers <> '{}' OR slots <> '{}' OR shown <> '{}' OR contact_id IS NULL)
    """,
    """
    UPDATE mail_message SET "to" = "to" - %(addresses)s::text[], cc = cc - %(addresses)s::text[],
        bcc = bcc - %(addresses)s::text[], reply_to = reply_to - %(addresses)s::text[],
        reply_text = CASE WHEN reply_text ILIKE ANY(%(needles)s) THEN '' ELSE reply_text END,
        idempotency_key = CASE WHEN idempotency_key ILIKE ANY(%(needles)s) THEN '' ELSE idempotency_key END
    WHERE id = ANY(%(named)s)
    """,
    # What To and Cc said, without the texts that name the person.
    """
    UPDATE mail_message SET shown = (
        SELECT jsonb_object_agg(field.key, (
            SELECT coalesce(jsonb_agg(one.text ORDER BY one.place), '[]')
            FROM jsonb_array_elements_text(field.value) WITH ORDINALITY AS one (text, place)
            WHERE NOT one.text ~* ANY(%(words)s)))
        FROM jsonb_each(shown) AS field)
    WHERE id = ANY(%(named)s) AND shown <> '{}'
    """,
    "DELETE FROM mail_letter WHERE message_id = ANY(%(own)s)",
    "UPDATE mail_content SET subject = '', html = '', text = '' WHERE id = ANY(%(contents)s)",
    "DELETE FROM mail_trackedlink WHERE content_id = ANY(%(contents)s)",
    """
    UPDATE mail_recipient r SET email = '' FROM mail_batch b
    WHERE b.workspace_id = ANY(%(rooms)s) AND r.batch_id = b.id AND r.contact_id = ANY(%(people)s) AND r.email <> ''
    """,
    """
    UPDATE mail_deliveryevent SET agent = '', ip = '', data = CASE WHEN data ? 'code'
        THEN jsonb_build_object('code', data->'code', 'enhanced', data->'enhanced') ELSE '{}' END
    WHERE message_id = ANY(%(own)s) OR contact_id = ANY(%(people)s)
    """,
    """
    UPDATE mail_deliveryevent SET data = '{}' WHERE message_id = ANY(%(named)s) AND data::text ILIKE ANY(%(needles)s)
    """,
    "UPDATE mail_storedhit SET agent = '', ip = '' WHERE message_id = ANY(%(own)s)",
    """
    DELETE FROM mail_sandboxmail WHERE message_id = ANY(%(named)s)
        OR workspace_id = ANY(%(rooms)s) AND recipients ?| %(addresses)s::text[]
    """,
    """
    DELETE FROM mail_inboundmessage WHERE message_id = ANY(%(own)s) OR contact_id = ANY(%(people)s)
        OR ((workspace_id = ANY(%(rooms)s) OR workspace_id IS NULL)
            AND (lower(mail_from) = ANY(%(addresses)s) OR EXISTS (SELECT FROM unnest(%(octets)s::bytea[]) needle
                WHERE position(needle IN raw) > 0) AND encode(raw, 'escape') ~* ANY(%(words)s)))
    """,
)


def scrub_mail(person: ErasedPerson, now: datetime) -> bool:
    """Forget a person's mail. Safe to repeat.

    False while some of it is with a sender, whose outcome is yet to come, or its words may be in somebody else's hands.
    """
    rooms = Workspace.objects.filter(organization_id=person.organization_id).values_list("pk", flat=True)
    values: dict[str, Any] = {
        "rooms": list(rooms),
        "person": person.contact_ids[0],
        "people": list(person.contact_ids),
        "addresses": list(person.addresses),
        "needles": like_patterns(person.needles),
        "words": word_patterns(person.needles),
        "octets": [needle.encode() for needle in person.needles],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NAMED, values)
        found = cursor.fetchall()
        values |= {"named": [pk for pk, _ in found], "own": [pk for pk, is_own in found if is_own]}
        cursor.execute(_STOP, values)
        cursor.execute(_IS_UNDER_WAY, values)
        if cursor.fetchone() == (True,):
            return False
        cursor.execute(_OWN_CONTENTS, values)
        contents = dict(cursor.fetchall())
        cursor.execute(_RETIRE, [[pk for pk, is_retired in contents.items() if not is_retired]])
        values["contents"] = [pk for pk, is_retired in contents.items() if is_retired]
        for step in _STEPS:
            cursor.execute(step, values)
        forget_files(message_ids=values["own"])
        scrub_transcripts(named=values["named"], own=values["own"], needles=person.needles)
    return all(contents.values())
