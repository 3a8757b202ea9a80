"""From claimed rows to messages ready to render: who still may get them, and what templates may say of each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Fence
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.rules.headers import UNDISCLOSED, leave_out
from postroom.core.mail.selectors.contents import load_from
from postroom.core.mail.services.attachments import load_attachments
from postroom.core.mail.services.refusals import find_address_refusals, judge_people
from postroom.core.mail.types import Attachment, Mailing, MessageClass, Outgoing
from postroom.kit.types import JSONValue


def make_batch_items(*, batch: Batch, content_id: int, people: Sequence[tuple[int, int, str]]) -> tuple[Outgoing, ...]:
    """Return a message for each (number, contact, address) of a batch. Their Message-IDs are left to the composer."""
    fence = Fence(list_ids=tuple(batch.list_ids), category_id=batch.category_id)
    clear = contacts.load_clear_profiles(
        workspace=batch.workspace, people=[(person, email) for _, person, email in people], fence=fence
    )
    mailing = Mailing(
        batch_id=batch.pk,
        content_id=content_id,
        message_class=MessageClass(batch.message_class),
        from_address=load_from(content_id=content_id, from_email=batch.sender.from_email),
    )
    if len(clear) == len(people):
        return tuple([Outgoing(number, mailing, (email,), clear[person], "") for number, person, email in people])
    unclear = [(person, email) for _, person, email in people if person not in clear]
    refusals = judge_people(batch=batch, fence=fence, people=unclear)
    allowed = [person for person, reason in refusals.items() if not reason]
    profiles = clear | contacts.load_profiles(contact_ids=allowed, list_ids=fence.list_ids)
    return tuple(
        Outgoing(number, mailing, (email,), profiles.get(person, {}), "", refusals.get(person, ""))
        for number, person, email in people
    )


def make_single_items(rows: Sequence[Message]) -> tuple[Outgoing, ...]:
    """Return the messages of rows of the ledger, without their refused recipients."""
    refusals = _single_refusals(rows)
    person_ids = [row.contact_id for row in rows if row.contact_id is not None]
    profiles = contacts.load_profiles(contact_ids=person_ids) if person_ids else {}
    files = load_attachments(rows=rows)
    return tuple(
        _single_item(row, refusals[row.pk], profiles.get(row.contact_id or 0, {}), files.get(row.pk, ()))
        for row in rows
    )


def _single_refusals(rows: Sequence[Message]) -> dict[int, dict[str, str]]:
    """Return for each message why each of its recipients must not get it, with two statements per kind of mail."""
    kinds: dict[tuple[int, str, Fence], list[Message]] = defaultdict(list)
    for row in rows:
        fence = Fence(list_ids=tuple(row.list_ids), category_id=row.category_id)
        kinds[row.workspace_id, row.message_class, fence].append(row)
    found: dict[int, dict[str, str]] = {}
    for (_, message_class, fence), part in kinds.items():
        addresses = sorted({address for row in part for address in (*row.to, *row.cc, *row.bcc)})
        refusals, _ = find_address_refusals(
            workspace=part[0].workspace, message_class=message_class, fence=fence, addresses=addresses
        )
        found.update((row.pk, {address: refusals[address] for address in (*row.to, *row.cc, *row.bcc)}) for row in part)
    return found


def _single_item(
    row: Message, refusals: dict[str, str], profile: Mapping[str, JSONValue], files: tuple[Attachment, ...]
) -> Outgoing:
    """Return the message without its refused recipients; refused altogether when none of ``to`` is left."""
    to, cc, bcc = ([address for address in field if not refusals[address]] for field in (row.to, row.cc, row.bcc))
    mailing = Mailing(
        batch_id=row.batch_id,
        content_id=row.content_id,
        message_class=MessageClass(row.message_class),
        from_address=row.from_address or _own_from(row),
        reply_to=tuple(row.reply_to),
        headers=row.headers,
        attachments=files,
    )
    return Outgoing(
        message_id=row.pk,
        mailing=mailing,
        to=tuple(to),
        cc=tuple(cc),
        bcc=tuple(bcc),
        slots={**profile, **row.slots},
        message_id_header=row.message_id_header,
        shown=_shown(row, {address for address, reason in refusals.items() if reason}),
        refusal="" if to else next((reason for reason in refusals.values() if reason), "no_recipient"),
        safe_until=row.safe_until.timestamp() if row.safe_until else 0.0,
    )


def _shown(row: Message, refused: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return what To and Cc are to say: who does not get the message is not named in it either."""
    kept = {field: leave_out(texts, refused) for field, texts in row.shown.items()}
    return {field: texts or (UNDISCLOSED,) if field == "to" else texts for field, texts in kept.items()}


def _own_from(row: Message) -> str:
    """Return the From of a batch's message whose content goes out under a name of its own."""
    return load_from(content_id=row.content_id, from_email=row.sender.from_email) if row.batch_id else ""
