"""From claimed rows to messages ready to render: who still may get them, and what templates may say of each."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Fence
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.rules.headers import UNDISCLOSED, leave_out, parse_addresses
from postroom.core.mail.selectors.contents import load_from
from postroom.core.mail.selectors.readers import load_readers
from postroom.core.mail.services.attachments import load_attachments
from postroom.core.mail.services.refusals import find_address_refusals, judge_people
from postroom.core.mail.types import Attachment, Mailing, MessageClass, Outgoing
from postroom.core.workspaces.types import Room
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
        from_address=_own_from(content_id, batch.from_address, batch.sender.from_email),
        reply_to=tuple(batch.reply_to),
    )
    cc, bcc = _copies(batch)
    if len(clear) == len(people) and not cc and not bcc:
        return tuple([Outgoing(number, mailing, (email,), clear[person], "") for number, person, email in people])
    unclear = [(person, email) for _, person, email in people if person not in clear]
    refusals = judge_people(batch=batch, fence=fence, people=unclear)
    allowed = [person for person, reason in refusals.items() if not reason]
    profiles = clear | contacts.load_profiles(contact_ids=allowed, list_ids=fence.list_ids)
    return tuple(
        Outgoing(number, mailing, (email,), profiles.get(person, {}), "", refusals.get(person, ""), cc, bcc)
        for number, person, email in people
    )


def _copies(batch: Batch) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who else gets every message of a batch, without those who must get none; they need be on no list."""
    if not batch.cc and not batch.bcc:
        return (), ()
    room = Room(batch.workspace_id, batch.workspace.organization_id)
    places = sorted({(room, address) for address in (*batch.cc, *batch.bcc)})
    refusals, _ = find_address_refusals(places=places, message_class=batch.message_class, fence=Fence())
    cc, bcc = (tuple(one for one in field if not refusals[room, one]) for field in (batch.cc, batch.bcc))
    return cc, bcc


def make_single_items(rows: Sequence[Message]) -> tuple[Outgoing, ...]:
    """Return the messages of rows of the ledger, without their refused recipients."""
    refusals = _single_refusals(rows)
    profiles = load_readers(messages=rows)
    files = load_attachments(rows=rows)
    return tuple(_single_item(row, refusals[row.pk], profiles.get(row.pk, {}), files.get(row.pk, ())) for row in rows)


def _single_refusals(rows: Sequence[Message]) -> dict[int, dict[str, str]]:
    """Return for each message why each of its recipients must not get it, with two statements per kind of mail. Whoever
    gets a copy of a batch's messages need be on no list.
    """
    kinds: dict[tuple[str, Fence], set[tuple[int, Room, str]]] = defaultdict(set)
    for row in rows:
        room = Room(row.workspace_id, row.workspace.organization_id)
        fence = Fence(list_ids=tuple(row.list_ids), category_id=row.category_id)
        kinds[row.message_class, fence].update((row.pk, room, address) for address in row.to)
        of_copies = (row.message_class, Fence() if row.batch_id else fence)
        kinds[of_copies].update((row.pk, room, address) for address in (*row.cc, *row.bcc) if address not in row.to)
    found: dict[int, dict[str, str]] = {row.pk: {} for row in rows}
    for (message_class, fence), asked in kinds.items():
        places = sorted({(room, address) for _, room, address in asked})
        refusals, _ = find_address_refusals(places=places, message_class=message_class, fence=fence)
        for key, room, address in asked:
            found[key][address] = refusals[room, address]
    return found


def _single_item(
    row: Message, refusals: dict[str, str], profile: Mapping[str, JSONValue], files: tuple[Attachment, ...]
) -> Outgoing:
    """Return the message without its refused recipients; refused altogether when none of ``to`` is left."""
    to, cc, bcc = ([address for address in field if not refusals[address]] for field in (row.to, row.cc, row.bcc))
    mailing = Mailing(
        batch_id=row.batch_id,
        content_id=cast("int", row.content_id),  # a letter was frozen before its message comes here
        message_class=MessageClass(row.message_class),
        from_address=_from_of(row),
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


def _from_of(row: Message) -> str:
    if row.batch_id is None or row.content_id is None:
        return row.from_address
    return _own_from(row.content_id, row.from_address, row.sender.from_email)


def _own_from(content_id: int, from_address: str, sender_email: str) -> str:
    """Return the From of a batch's message: the name of its content, if it has one, with the address of the batch."""
    email = parse_addresses(from_address)[0][1] if from_address else sender_email
    return load_from(content_id=content_id, from_email=email) or from_address
