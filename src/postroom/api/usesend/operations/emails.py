"""E-mail: sent one by one or in a batch, looked up, put off and cancelled."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from ninja import Body, Header, Path, Query, Router

from postroom.api.shared.auth import KeyRequest
from postroom.api.usesend.auth import writer_of
from postroom.api.usesend.ids import read_id, team_id, write_id
from postroom.api.usesend.schemas.emails import (
    Email,
    EmailBatchResult,
    EmailIdResult,
    EmailList,
    EmailListItem,
    EmailSend,
    EmailUpdate,
)
from postroom.api.usesend.schemas.shared import CONFLICT, ERRORS, NOT_FOUND
from postroom.api.usesend.schemas.values import Moment, whole_text
from postroom.api.usesend.statuses import changed_at, latest_status, tell_events
from postroom.api.usesend.submissions import EmailBatch, make_request
from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.rules.compose import Preview
from postroom.core.mail.rules.headers import format_address
from postroom.core.mail.types import MessageEvent, MessageSpan
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.kit.paging import PageRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from postroom.core.mail.models import Message
    from postroom.core.workspaces.models import Workspace

router: Final = Router(tags=["Emails"], by_alias=True)

MAX_LISTED: Final = 50

EmailId = Annotated[str, Path(..., min_length=3)]
PageNumber = Annotated[int, whole_text(1), Query(1)]
Limit = Annotated[int, whole_text(1, MAX_LISTED), Query(MAX_LISTED)]
Since = Annotated[Moment | None, Query(None)]
Until = Annotated[Moment | None, Query(None)]
DomainIds = Annotated[list[str] | None, Query(None)]
OnceKey = Annotated[str | None, Header(None, alias="Idempotency-Key")]


@router.post("/emails", operation_id="sendEmail", response={200: EmailIdResult, **ERRORS, **CONFLICT})
def send_email(request: KeyRequest, email: EmailSend, idempotency_key: OnceKey) -> EmailIdResult:
    """Queue one e-mail, or schedule it."""
    (one,) = _submit(request, email, idempotency_key)
    return one


@router.post("/emails/batch", operation_id="sendEmailBatch", response={200: EmailBatchResult, **ERRORS, **CONFLICT})
def send_email_batch(
    request: KeyRequest, emails: Annotated[EmailBatch, Body(...)], idempotency_key: OnceKey
) -> EmailBatchResult:
    """Queue up to a hundred e-mails, all or none."""
    return EmailBatchResult(data=_submit(request, emails, idempotency_key))


@router.get("/emails/{emailId}", operation_id="getEmail", response={200: Email, **ERRORS, **NOT_FOUND})
def get_email(request: KeyRequest, emailId: EmailId) -> Email:
    """Look an e-mail up, with all that happened to it."""
    identity = request.auth
    message = mail.get_outgoing(workspace=identity.workspace, uid=read_id(emailId), mail_domain=identity.mail_domain)
    return _show(message, identity.workspace, mail.list_message_events(message=message))


@router.get("/emails", operation_id="listEmails", response={200: EmailList, **ERRORS})
def list_emails(
    request: KeyRequest, page: PageNumber, limit: Limit, startDate: Since, endDate: Until, domainId: DomainIds
) -> EmailList:
    """List e-mails, newest first: all, or those of a time and of some domains."""
    workspace = request.auth.workspace
    domains = mail.map_domains(workspace=workspace)
    span = MessageSpan(since=startDate, until=endDate, domains=_wanted(request.auth.mail_domain, domainId, domains))
    found = mail.list_outgoing(
        workspace=workspace, span=span, page=PageRequest(number=page, size=limit, with_total=True)
    )
    words = mail.show_messages(messages=found.items)
    items = [_list(one, words[one.pk], domains.get(mail.from_domain(message=one))) for one in found.items]
    return EmailList(data=items, count=found.total or 0)


@router.patch("/emails/{emailId}", operation_id="updateEmail", response={200: EmailIdResult, **ERRORS, **NOT_FOUND})
def update_email(request: KeyRequest, emailId: EmailId, changes: EmailUpdate) -> EmailIdResult:
    """Have a scheduled e-mail go at another time."""
    identity = writer_of(request)
    message = services.reschedule_message(
        workspace=identity.workspace,
        uid=read_id(emailId),
        at=changes.scheduled_at,
        actor=identity.actor,
        now=clock.now(),
        mail_domain=identity.mail_domain,
    )
    return EmailIdResult(email_id=write_id(message.uid))


@router.post(
    "/emails/{emailId}/cancel", operation_id="cancelEmail", response={200: EmailIdResult, **ERRORS, **NOT_FOUND}
)
def cancel_email(request: KeyRequest, emailId: EmailId) -> EmailIdResult:
    """Never send a scheduled e-mail."""
    identity = writer_of(request)
    message = services.cancel_scheduled(
        workspace=identity.workspace,
        uid=read_id(emailId),
        actor=identity.actor,
        now=clock.now(),
        mail_domain=identity.mail_domain,
    )
    return EmailIdResult(email_id=write_id(message.uid))


def _submit(request: KeyRequest, asked: EmailSend | list[EmailSend], key: str | None) -> list[EmailIdResult]:
    (outcome,) = services.submit_requests(requests=[make_request(request.auth, asked, key)], now=clock.now())
    if isinstance(outcome, AppError):
        raise outcome
    return [EmailIdResult(email_id=write_id(uid)) for uid in outcome]


def _wanted(mail_domain: str, ids: list[str] | None, domains: "Mapping[str, int]") -> tuple[str, ...] | None:
    """Return the domains that are asked for: a key's own, whatever is named; an id that is none finds nothing."""
    if mail_domain:
        return (mail_domain,)
    return None if ids is None else tuple(name for name, number in domains.items() if str(number) in ids)


def _show(message: "Message", workspace: "Workspace", events: list[MessageEvent]) -> Email:
    words = mail.show_message(message=message)
    return Email(
        **_words(message, words),
        team_id=team_id(workspace),
        updated_at=max([message.created_at, *(event.at for event in events)]),
        email_events=tell_events(message, events),
    )


def _list(message: "Message", words: Preview, domain_id: int | None) -> EmailListItem:
    return EmailListItem(
        **_words(message, words),
        updated_at=changed_at(message),
        latest_status=latest_status(message),
        scheduled_at=message.scheduled_at,
        domain_id=domain_id,
    )


def _words(message: "Message", words: Preview) -> dict[str, Any]:
    """Return what both ways of showing an e-mail say of it."""
    return {
        "id": write_id(message.uid),
        "to": message.shown.get("to") or message.to,
        "reply_to": message.reply_to,
        "cc": message.shown.get("cc") or message.cc,
        "bcc": message.bcc,
        "from_": message.from_address or format_address(message.sender.from_name, message.sender.from_email),
        "subject": words.subject,
        "html": words.html or None,
        "text": words.text or None,
        "created_at": message.created_at,
    }
