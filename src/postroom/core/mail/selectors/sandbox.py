"""Reads of the sandbox mailbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Substr

from postroom.core.mail.errors import SandboxMailNotFound
from postroom.core.mail.models import Message, SandboxMail
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page

MOST_HEADER_OCTETS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OpenedMail:
    """A captured mail and its parts, as a mail program would show them; a part that is not there is empty."""

    mail: SandboxMail
    headers: tuple[tuple[str, str], ...]
    html: str
    text: str


def list_sandbox_mails(*, workspace: Workspace, page: PageRequest) -> Page[SandboxMail]:
    """Return captured mails, newest first, without their octets."""
    return fetch_page(_mails(workspace).defer("raw").order_by("-id"), page)


def iter_sandbox_mails(*, workspace: Workspace) -> Iterator[SandboxMail]:
    """Stream every captured mail with its octets, oldest first."""
    return _mails(workspace).order_by("id").iterator(chunk_size=200)


def find_sandbox_copy(*, message: Message) -> SandboxMail | None:
    """Return the latest copy of a message that the sandbox took, without its octets, or None when it took none."""
    rows = SandboxMail.objects.filter(workspace_id=message.workspace_id, message_id=message.pk)
    return rows.defer("raw").order_by("-id").first()


def read_header_block(*, mail: SandboxMail) -> str:
    """Return the header of a captured mail as it went over the wire, lines parted by single line feeds."""
    rows = SandboxMail.objects.filter(pk=mail.pk).values_list(Substr("raw", 1, MOST_HEADER_OCTETS), flat=True)
    head = b"".join(map(bytes, rows)).partition(b"\r\n\r\n")[0]
    return head.decode(errors="replace").replace("\r\n", "\n")


def get_sandbox_mail(*, workspace: Workspace, uid: UUID) -> OpenedMail:
    """Return one captured mail, opened. Raises SandboxMailNotFound."""
    mail = _mails(workspace).filter(uid=uid).first()
    if mail is None:
        raise SandboxMailNotFound
    message = BytesParser(policy=policy.default).parsebytes(bytes(mail.raw))
    headers = tuple((name, str(value)) for name, value in message.items())
    return OpenedMail(mail, headers, _part(message, "html"), _part(message, "plain"))


def _mails(workspace: Workspace) -> QuerySet[SandboxMail]:
    return SandboxMail.objects.filter(workspace=workspace)


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset nobody knows
        return ""
