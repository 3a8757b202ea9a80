"""Letters: the words of single messages, kept as a program wrote them until a sender takes the message."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Final

import structlog
from django.db import connection

from postroom.core.mail.errors import BadComposition
from postroom.core.mail.models import Letter, Message, SenderAccount, Template
from postroom.core.mail.ports import Handover, Outcome, Result
from postroom.core.mail.rules.settling import Judgement
from postroom.core.mail.selectors.contents import read_letter
from postroom.core.mail.services import ledger
from postroom.core.mail.services.contents import Frozen, freeze, store_contents
from postroom.core.mail.services.telling import tell_messages
from postroom.core.mail.types import Composition, EventType, MessageClass, MessageStatus
from postroom.kit.arrays import array_text
from postroom.kit.errors import AppError

_FREEZE: Final = """
UPDATE mail_message m SET content_id = x.content_id
FROM unnest(%s::bigint[], %s::bigint[]) AS x(id, content_id) WHERE m.id = x.id
"""

# A sender that is cut off with locks in its hands is noticed after some seconds; one that works on hostile words is not
# cut off, or it would begin with them again for ever.
_TAKE_TIME: Final = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
_PUT_BACK: Final = "UPDATE mail_message SET status = 'queued', owner = '' WHERE id = ANY(%s)"

FREEZING_S: Final = 1.0
"""How long a claim freezes; what it does not get to is for the next one."""

log = structlog.get_logger(__name__)


def freeze_letters(*, rows: Sequence[Message], now: datetime) -> list[Message]:
    """Give claimed messages the contents that their letters make, in few statements however many there are; equal words
    are one content. Return those that can be sent. The caller has a transaction.

    One whose letter makes no message (a broken template) ends as failed with the reason, and keeps the letter. When
    there was no time for all, the others are claimed no more.
    """
    waiting = {row.pk: row for row in rows if row.content_id is None}
    if not waiting:
        return list(rows)
    frozen, faults = _freeze_all(waiting)
    late = waiting.keys() - frozen.keys() - faults.keys()
    by_room: dict[int, list[int]] = defaultdict(list)
    for number in frozen:
        by_room[waiting[number].workspace_id].append(number)
    for workspace_id, numbers in by_room.items():
        contents = store_contents(workspace_id=workspace_id, contents=[frozen[number] for number in numbers], now=now)
        for number, content_id in zip(numbers, contents, strict=True):
            waiting[number].content_id = content_id
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, [array_text(frozen), array_text(waiting[number].content_id for number in frozen)])
        if late:
            cursor.execute(_PUT_BACK, [list(late)])
    Letter.objects.filter(pk__in=list(frozen)).delete()
    _give_up([waiting[number] for number in faults], faults, now)
    return [row for row in rows if row.pk not in faults and row.pk not in late]


def _freeze_all(waiting: Mapping[int, Message]) -> tuple[dict[int, Frozen], dict[int, str]]:
    """Return what the letters make, and of those that make nothing why; at least one, as many as there is time for."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TIME)
    letters = {letter.message_id: letter for letter in Letter.objects.filter(pk__in=list(waiting))}
    wanted = {letter.template_id for letter in letters.values() if letter.template_id is not None}
    templates = {row.pk: row for row in Template.objects.filter(pk__in=wanted)} if wanted else {}
    senders = SenderAccount.objects.select_related("domain").in_bulk({row.sender_id for row in waiting.values()})
    made: dict[tuple[Composition, str, int], Frozen | AppError] = {}
    found: dict[int, Frozen] = {}
    faults: dict[int, str] = {}
    until = monotonic() + FREEZING_S
    for number, row in waiting.items():
        if made and monotonic() > until:
            break
        letter = letters.get(number)
        template = templates.get(letter.template_id or 0) if letter else None
        if letter is None or (letter.template_id is not None and template is None):
            faults[number] = "Its words are gone."
            continue
        composition = read_letter(letter=letter, template=template)
        key = (composition, row.message_class, row.sender_id)
        if key not in made:
            made[key] = _try_to_freeze(composition, MessageClass(row.message_class), senders[row.sender_id])
        one = made[key]
        if isinstance(one, AppError):
            faults[number] = one.message
        else:
            found[number] = one
    return found, faults


def _try_to_freeze(composition: Composition, message_class: MessageClass, sender: SenderAccount) -> Frozen | AppError:
    try:
        return freeze(composition, message_class, sender)
    except AppError as error:
        return error
    except Exception as error:  # whatever a parser stumbles over, the neighbours of this letter go on
        log.exception("letter_not_frozen", error=type(error).__name__)
        return BadComposition("The message cannot be made of these words.")


def _give_up(rows: Sequence[Message], faults: Mapping[int, str], now: datetime) -> None:
    if not rows:
        return
    settled = [
        ledger.Settled(
            Handover(row.pk, now.timestamp(), Result(Outcome.FAILED, text=faults[row.pk])),
            Judgement(MessageStatus.FAILED, tries=row.tries, event=EventType.FAILED, record={"error": faults[row.pk]}),
            row.attempt,
        )
        for row in rows
    ]
    ledger.move_rows(owner=rows[0].owner, settled=settled)
    for workspace_id in {row.workspace_id for row in rows}:
        whose = {row.pk: (row.contact_id, row.batch_id) for row in rows if row.workspace_id == workspace_id}
        mine = [one for one in settled if one.handover.message_id in whose]
        ledger.append_events(workspace_id=workspace_id, settled=mine, contacts=whose, now=now)
        tell_messages(workspace_ids={workspace_id}, message_ids=list(whose), now=now)
