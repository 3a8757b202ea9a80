"""Reads of the files that went with a message."""

from dataclasses import dataclass
from uuid import UUID

from postroom.core.mail.errors import NoSuchMessage
from postroom.core.mail.models import AttachedFile, Message
from postroom.core.mail.selectors.messages import get_message
from postroom.core.mail.types import Attachment
from postroom.core.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class AttachedPart:
    """A file of a message, by its number among them; one with a ``content_id`` is shown inside the HTML."""

    number: int
    name: str
    content_type: str
    size: int
    content_id: str = ""


def list_attached(*, message: Message) -> list[AttachedPart]:
    """Return the files that went with a message, without their octets."""
    if not message.attachments:
        return []
    wanted = [one["file"] for one in message.attachments]
    rows = AttachedFile.objects.filter(workspace_id=message.workspace_id, pk__in=wanted)
    sizes = dict(rows.values_list("pk", "size"))
    return [
        AttachedPart(number, one["name"], one["type"], sizes[one["file"]], one["content_id"])
        for number, one in enumerate(message.attachments)
        if one["file"] in sizes
    ]


def get_attached_file(*, workspace: Workspace, uid: UUID, number: int) -> Attachment:
    """Return one file of a message. Raises NoSuchMessage when there is no such message, or none so numbered with it."""
    message = get_message(workspace=workspace, uid=uid)
    one = message.attachments[number] if number < len(message.attachments) else None
    file = AttachedFile.objects.filter(workspace=workspace, pk=one["file"]).first() if one else None
    if one is None or file is None:
        raise NoSuchMessage("There is no such file with this message.")
    return Attachment(one["name"], one["type"], bytes(file.content), one["content_id"])
