"""E-mail: sent one by one or in a batch, and looked up."""

import hashlib
import json
from mimetypes import guess_type
from typing import TYPE_CHECKING, Annotated, Final

from ninja import Body, Header, Path, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.ids import read_id, team_id, write_id
from postroom.api.usesend.schemas.emails import Email, EmailBatchResult, EmailIdResult, EmailSend
from postroom.api.usesend.schemas.shared import CONFLICT, ERRORS, NOT_FOUND
from postroom.api.usesend.schemas.values import at_most
from postroom.api.usesend.statuses import tell_events
from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.errors import BadMessage
from postroom.core.mail.rules.attachments import ANY_TYPE
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.types import Attachment, MessageEvent, Once, Submission
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Role
from postroom.kit import clock

if TYPE_CHECKING:
    from postroom.core.mail.models import Message
    from postroom.core.workspaces.models import Workspace

router: Final = Router(tags=["Emails"], by_alias=True)

MAX_BATCH: Final = 100
TOO_MANY: Final = f"Cannot send more than {MAX_BATCH} emails in a single bulk request"
OWN_HEADER: Final = "x-usesend-email-id"

EmailId = Annotated[str, Path(..., min_length=3)]
OnceKey = Annotated[str | None, Header(None, alias="Idempotency-Key")]


@router.post("/emails", operation_id="sendEmail", response={200: EmailIdResult, **ERRORS, **CONFLICT})
def send_email(request: KeyRequest, email: EmailSend, idempotency_key: OnceKey) -> EmailIdResult:
    """Queue one e-mail, or schedule it."""
    (one,) = _submit(request, [email], idempotency_key)
    return one


@router.post("/emails/batch", operation_id="sendEmailBatch", response={200: EmailBatchResult, **ERRORS, **CONFLICT})
def send_email_batch(
    request: KeyRequest,
    emails: Annotated[list[EmailSend], at_most(MAX_BATCH, TOO_MANY), Body(...)],
    idempotency_key: OnceKey,
) -> EmailBatchResult:
    """Queue up to a hundred e-mails, all or none."""
    if not emails:
        raise BadMessage("No emails provided for bulk send")
    return EmailBatchResult(data=_submit(request, emails, idempotency_key))


@router.get("/emails/{emailId}", operation_id="getEmail", response={200: Email, **ERRORS, **NOT_FOUND})
def get_email(request: KeyRequest, emailId: EmailId) -> Email:
    """Look an e-mail up, with all that happened to it."""
    message = mail.get_message(workspace=request.auth.workspace, uid=read_id(emailId))
    return _show(message, request.auth.workspace, mail.list_message_events(message=message))


def _submit(request: KeyRequest, emails: list[EmailSend], key: str | None) -> list[EmailIdResult]:
    identity = request.auth
    workspaces.require_role(user=identity.user, workspace=identity.workspace, role=Role.MEMBER)
    uids = services.submit_messages(
        workspace=identity.workspace,
        submissions=[_read(email) for email in emails],
        once=None if key is None else Once(key, _digest(emails)),
        actor=identity.actor,
        now=clock.now(),
    )
    return [EmailIdResult(email_id=write_id(uid)) for uid in uids]


def _digest(emails: list[EmailSend]) -> bytes:
    """Return what tells two requests with one key apart: their values, whatever the order of their names."""
    values = [email.model_dump(mode="json") for email in emails]
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
        variables={**email.variables},
        in_reply_to=None if email.in_reply_to_id is None else read_id(email.in_reply_to_id),
        scheduled_at=email.scheduled_at,
        attachments=tuple(
            Attachment(one.filename, guess_type(one.filename)[0] or ANY_TYPE, one.content) for one in email.attachments
        ),
    )


def _is_kept(name: str, value: str) -> bool:
    """The contract leaves these out without an error: the mark of useSend's own, and whatever breaks a line."""
    return name.lower() != OWN_HEADER and not {"\r", "\n"} & set(name + value)


def _show(message: "Message", workspace: "Workspace", events: list[MessageEvent]) -> Email:
    words = mail.show_message(message=message)
    return Email(
        id=write_id(message.uid),
        team_id=team_id(workspace),
        to=message.to,
        reply_to=message.reply_to,
        cc=message.cc,
        bcc=message.bcc,
        from_=message.from_address or format_address(message.sender.from_name, message.sender.from_email),
        subject=words.subject,
        html=words.html or None,
        text=words.text or None,
        created_at=message.created_at,
        updated_at=max([message.created_at, *(event.at for event in events)]),
        email_events=tell_events(message, events),
    )
