"""The messages of a workspace: looked through, and one by one with everything that happened to it."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import escape

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.mail.types import MessageClass
from postroom.kit import clock
from postroom.web.messages.forms import SearchForm
from postroom.web.messages.words import STATUSES, say_next, tell_trail
from postroom.web.shared.frames import frame_response, under_subject
from postroom.web.shared.pages import errors_flashed, render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room

if TYPE_CHECKING:
    from postroom.core.mail.models import Message


@in_room()
def show_messages(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the messages that are looked for, newest first."""
    search = SearchForm(request.GET).search
    before = whole_number(request.GET.get("before"))
    context = {
        "found": mail.search_messages(workspace=room.workspace, search=search, before=before),
        "search": search,
        "before": before,
        "statuses": STATUSES,
        "classes": MessageClass.choices,
        "senders": mail.list_senders(workspace=room.workspace),
    }
    return render_page(request, room, "web/messages/list.html", context)


@in_room()
def show_message(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one message: where it stands, what happened to it, and what was said each time it was handed over."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    now = clock.now()
    outlook = mail.foresee(message=message, now=now)
    context = {
        "message": message,
        "outlook": outlook,
        "next_words": say_next(message, outlook, now),
        "trail": list(tell_trail(message, mail.list_message_events(message=message))),
        "attempts": mail.find_transcript(workspace=room.workspace, message_uid=uid),
        "recipients": [*message.to, *message.cc, *message.bcc],
        "fields": _header_fields(message),
    }
    return render_page(request, room, "web/messages/message.html", context)


@in_room()
def show_body(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the mail as its reader sees it, for the frame of the page."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    shown = mail.show_message(message=message)
    return frame_response(under_subject(shown.subject, shown.html or f"<pre>{escape(shown.text)}</pre>"))


@in_room(methods=("POST",))
def retry(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have it tried at once."""
    with errors_flashed(request):
        services.retry_message(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "It is tried as soon as a sender is free.")
    return redirect("web:message", room.workspace.slug, uid)


@in_room(methods=("POST",))
def cancel(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Never send it."""
    with errors_flashed(request):
        services.cancel_message(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The message is cancelled.")
    return redirect("web:message", room.workspace.slug, uid)


@in_room(methods=("POST",))
def suppress(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Never mail one of its recipients again."""
    email = request.POST.get("email", "")
    with errors_flashed(request):
        services.suppress_recipient(workspace=room.workspace, uid=uid, email=email, actor=room.actor, now=clock.now())
        messages.success(request, f"{email} gets no mail from this workspace any more.")
    return redirect("web:message", room.workspace.slug, uid)


def _header_fields(message: "Message") -> list[tuple[str, str]]:
    """Return the fields that tell one message from another, as far as it has them."""
    fields = [
        ("From", message.from_address or message.sender.from_email),
        ("To", ", ".join(message.to)),
        ("Cc", ", ".join(message.cc)),
        ("Bcc", ", ".join(message.bcc)),
        ("Reply-To", ", ".join(message.reply_to) or message.sender.reply_to),
        ("Message-ID", message.message_id_header),
        *sorted(message.headers.items()),
        ("Number at the receiving server", message.provider_id),
    ]
    return [(name, value) for name, value in fields if value]
