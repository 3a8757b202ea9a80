"""What was said on the wire about one message."""

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from postroom.core.mail.models import Message, Recipient, Transcript
from postroom.core.mail.ports import Outcome, Result
from postroom.core.mail.rules import transcripts as rules
from postroom.core.mail.rules.refusals import classify
from postroom.core.mail.selectors.messages import get_message
from postroom.core.mail.types import Attempt
from postroom.core.workspaces.models import Workspace


def find_transcript(*, workspace: Workspace, message_uid: UUID) -> list[Attempt]:
    """Return the hand-overs of a message, oldest first, as far as they are still kept. Raises NoSuchMessage."""
    message = get_message(workspace=workspace, uid=message_uid)
    found = [
        _attempt(message, handover.at or row.at.timestamp(), handover.result)
        for row in _rows(message)
        for handover in rules.unpack(bytes(row.packed))
        if handover.message_id == message.pk and handover.result is not None
    ]
    return sorted(found, key=lambda attempt: attempt.at)


def _rows(message: Message) -> QuerySet[Transcript]:
    """A campaign's message was first tried with its chunk, then by itself."""
    among = Q(batch_id=None, message_ids__contains=[message.pk])
    if message.batch_id is not None:
        number = Recipient.objects.filter(pk=message.pk).values_list("chunk_number", flat=True).first()
        among |= Q(batch_id=message.batch_id, chunk_number=number)
    return Transcript.objects.filter(among, workspace_id=message.workspace_id).order_by("at", "pk")


def _attempt(message: Message, at: float, result: Result) -> Attempt:
    is_plain = result.outcome is Outcome.SENT and not result.code
    return Attempt(
        at=message.sent_at if is_plain and message.sent_at else datetime.fromtimestamp(at, UTC),
        outcome=result.outcome.value,
        code=message.reply_code if is_plain else result.code,
        enhanced=result.enhanced,
        text=message.reply_text if is_plain else result.text,
        session=result.session,
        dialogue=result.dialogue,
        kind=classify(result),
        refused=result.recipient_replies,
    )
