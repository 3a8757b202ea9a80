"""E-mail to send, from this dialect's words to the core's: read the same way whatever carried the request."""

import hashlib
import json
from mimetypes import guess_type
from typing import Annotated, Any, Final

from pydantic import TypeAdapter

from postroom.api.usesend.ids import read_id
from postroom.api.usesend.schemas.emails import EmailSend
from postroom.api.usesend.schemas.values import at_most
from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.attachments import ANY_TYPE
from postroom.core.mail.types import Attachment, Once, Submission, SubmitRequest
from postroom.core.workspaces.errors import RoleTooLow
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Role

MAX_BATCH: Final = 100
OWN_HEADER: Final = "x-usesend-email-id"

EmailBatch = Annotated[
    list[EmailSend], at_most(MAX_BATCH, f"Cannot send more than {MAX_BATCH} emails in a single bulk request")
]
_ONE: Final = TypeAdapter(EmailSend)
_MANY: Final[TypeAdapter[list[EmailSend]]] = TypeAdapter(EmailBatch)


def read_emails(value: Any, *, is_batch: bool) -> EmailSend | list[EmailSend]:
    """Return what a body asks for. Raises pydantic.ValidationError."""
    return _MANY.validate_python(value) if is_batch else _ONE.validate_python(value)


def make_request(identity: KeyIdentity, asked: EmailSend | list[EmailSend], once_key: str | None) -> SubmitRequest:
    """Return what the core is asked to accept. Raises RoleTooLow, and BadMessage for a batch of nothing."""
    if asked == []:
        raise BadMessage("No emails provided for bulk send")
    if identity.role.rank < Role.MEMBER.rank:
        raise RoleTooLow(f"That needs the role {Role.MEMBER.value} in {identity.workspace.name}.")
    emails = asked if isinstance(asked, list) else [asked]
    return SubmitRequest(
        workspace_id=identity.workspace.pk,
        actor=identity.actor,
        submissions=[_read(email) for email in emails],
        once=None if once_key is None else Once(once_key, _digest(asked)),
        mail_domain=identity.mail_domain,
    )


def _digest(asked: EmailSend | list[EmailSend]) -> bytes:
    """Return what tells two requests with one key apart: their values, whatever the order of their names."""
    values = (
        [email.model_dump(mode="json") for email in asked] if isinstance(asked, list) else asked.model_dump(mode="json")
    )
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()


def _read(email: EmailSend) -> Submission:
    return Submission(
        from_address=email.from_,
        to=tuple(email.to),
        cc=tuple(email.cc),
        bcc=tuple(email.bcc),
        reply_to=tuple(email.reply_to),
        subject=email.subject or "",
        html=email.html or "",
        text=email.text or "",
        headers={name: value for name, value in email.headers.items() if _is_kept(name, value)},
        template_uid=None if email.template_id is None else read_id(email.template_id),
        variables=email.variables,
        in_reply_to=None if email.in_reply_to_id is None else read_id(email.in_reply_to_id),
        scheduled_at=email.scheduled_at,
        attachments=_attachments(email),
    )


def _attachments(email: EmailSend) -> tuple[Attachment, ...]:
    files = email.attachments
    return tuple([Attachment(one.filename, guess_type(one.filename)[0] or ANY_TYPE, one.content) for one in files])


def _is_kept(name: str, value: str) -> bool:
    """The contract leaves these out without an error: the mark of useSend's own, and whatever breaks a line."""
    return name.lower() != OWN_HEADER and not any(end in text for end in "\r\n" for text in (name, value))
