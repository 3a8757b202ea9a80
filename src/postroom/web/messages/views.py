"""The messages of a workspace: looked through, and one by one with everything that happened to it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.types import MessageClass, MessageStatus
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.kit.errors import AppError
from postroom.kit.paging import MAX_PAGE_SIZE, PageRequest
from postroom.web.keys.words import say_door
from postroom.web.messages.files import MOST_ROWS, write_csv
from postroom.web.messages.forms import RescheduleForm, SearchForm
from postroom.web.messages.words import FACTS, STATUSES, say_next, tell_trail
from postroom.web.shared.pages import render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.mail.models import Message
    from postroom.core.mail.types import MessageOutlook
    from postroom.core.workspaces.models import ApiKey

_MOVING: Final = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.WIRE)
_SOON: Final = timedelta(minutes=1)


@in_room()
def show_messages(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the messages that are looked for, newest first; the first page again and again as more are made."""
    form = SearchForm(request.GET)
    search = form.search
    before = whole_number(request.GET.get("before"))
    context: dict[str, object] = {
        "found": mail.search_messages(workspace=room.workspace, search=search, before=before),
        "search": search,
        "before": before,
    }
    if is_fragment(request):
        return render_page(request, room, "web/messages/_found.html", context)
    return render_page(request, room, "web/messages/list.html", {**context, **_choices(room, form)})


@in_room(methods=("POST",))
def export(request: HttpRequest, room: Room) -> HttpResponse:
    """Hand over what is looked for as a file, the newest ten thousand at most."""
    search = SearchForm(request.GET).search
    rows = services.export_messages(
        workspace=room.workspace, search=search, most=MOST_ROWS, actor=room.actor, now=clock.now()
    )
    response = HttpResponse(write_csv(rows), content_type="text/csv; charset=utf-8")
    name = f"messages-{room.workspace.slug}-{clock.now():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@in_room()
def show_message(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one message: where it stands, what happened to it, and what was said each time it was handed over."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    now = clock.now()
    outlook = mail.foresee(message=message, now=now)
    key = _find_key(room, message)
    context = {
        "message": message,
        "outlook": outlook,
        "is_live": _is_live(message, outlook),
        "next_words": say_next(message, outlook, now),
        "trail": list(tell_trail(message, mail.list_message_events(message=message), key.name if key else "")),
        "attempts": mail.find_transcript(workspace=room.workspace, message_uid=uid),
        "recipients": [*message.to, *message.cc, *message.bcc],
        "key": key,
        "door": say_door(key) if key else "",
        "reschedule_form": _reschedule_form(message),
        **_mail_itself(message),
    }
    return render_page(request, room, "web/messages/message.html", context)


def _choices(room: Room, form: SearchForm) -> dict[str, object]:
    """Return what the list can be narrowed to, and how many messages there are."""
    search, keys = form.search, PageRequest(size=MAX_PAGE_SIZE)
    days = {name: form.cleaned_data.get(name) for name in ("since", "until")}
    return {
        "count": mail.count_found(workspace=room.workspace, search=search),
        "statuses": STATUSES,
        "facts": FACTS,
        "classes": MessageClass.choices,
        "senders": mail.list_senders(workspace=room.workspace),
        "domains": mail.list_domains(workspace=room.workspace),
        "keys": workspaces.list_api_keys(workspace=room.workspace, user=room.user, page=keys).items,
        "chosen": search.fact or search.status or "",
        **{name: on.isoformat() if on else "" for name, on in days.items()},
        "may_export": room.role.rank >= Role.MEMBER.rank,
    }


def _reschedule_form(message: "Message") -> RescheduleForm | None:
    return RescheduleForm(initial={"at": message.scheduled_at}) if mail.is_scheduled(message=message) else None


def _is_live(message: "Message", outlook: "MessageOutlook") -> bool:
    """Whether something may happen to it while somebody looks."""
    is_due = outlook.due_at is not None and outlook.due_at - clock.now() < _SOON
    return message.status in _MOVING and (is_due or message.status != MessageStatus.QUEUED)


def _find_key(room: Room, message: "Message") -> "ApiKey | None":
    if message.api_key_id is None:
        return None
    return workspaces.find_api_key(workspace=room.workspace, key_id=message.api_key_id)


def _mail_itself(message: "Message") -> dict[str, object]:
    """Return what the mail says and how it went out: its header as the sandbox took it, else as the ledger has it."""
    copy = mail.find_sandbox_copy(message=message)
    try:
        subject, fault = mail.show_message(message=message).subject, ""
    except AppError as error:
        subject, fault = "", error.message
    return {
        "subject": subject,
        "fault": fault,
        "copy": copy,
        "header": mail.read_header_block(mail=copy) if copy is not None else "",
        "fields": _header_fields(message, subject),
        "files": mail.list_attached(message=message),
    }


def _header_fields(message: "Message", subject: str) -> list[tuple[str, str]]:
    """Return the fields that tell one message from another, as far as it has them."""
    shown = message.shown
    fields = [
        ("From", message.from_address or message.sender.from_email),
        ("To", ", ".join(shown.get("to") or message.to)),
        ("Cc", ", ".join(shown.get("cc") or message.cc)),
        ("Bcc", ", ".join(message.bcc)),
        ("Subject", subject),
        ("Reply-To", ", ".join(message.reply_to) or message.sender.reply_to),
        ("Message-ID", message.message_id_header),
        *sorted(message.headers.items()),
        ("Number at the receiving server", message.provider_id),
    ]
    return [(name, value) for name, value in fields if value]
