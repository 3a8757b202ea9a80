"""Who a message of the ledger was for, also while its row is still to be written."""

from collections.abc import Sequence
from dataclasses import dataclass

from postroom.core.contacts.types import Fence
from postroom.core.mail.models import Message, Recipient
from postroom.core.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Addressee:
    """The person a message was for, the workspace it came from, and what their consent to it rests on.

    ``addresses`` are all it went to, copies included.
    """

    message_id: int
    workspace: Workspace
    contact_id: int | None
    email: str
    fence: Fence
    addresses: tuple[str, ...] = ()


def find_addressee(*, message_id: int) -> Addressee | None:
    """Return whom message ``message_id`` was for, or None. The ledger is asked first, then the frozen recipients."""
    message = Message.objects.select_related("workspace").filter(pk=message_id).first()
    if message is not None:
        fence = Fence(tuple(message.list_ids), message.category_id)
        addresses = (*message.to, *message.cc, *message.bcc)
        first = next(iter(message.to), "")
        return Addressee(message.pk, message.workspace, message.contact_id, first, fence, addresses)
    recipient = Recipient.objects.select_related("batch__workspace").filter(pk=message_id).first()
    if recipient is None:
        return None
    batch = recipient.batch
    fence = Fence(tuple(batch.list_ids), batch.category_id)
    email = recipient.email
    return Addressee(recipient.pk, batch.workspace, recipient.contact_id, email, fence, (email,) if email else ())


def find_workspaces(*, message_ids: Sequence[int]) -> dict[int, int]:
    """Return the workspace key of each of the messages, with two statements; unknown messages are absent."""
    found = dict(Recipient.objects.filter(pk__in=message_ids).values_list("pk", "batch__workspace_id"))
    found.update(Message.objects.filter(pk__in=message_ids).values_list("pk", "workspace_id"))
    return found
