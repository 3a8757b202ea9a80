"""The parts of a message: as its reader sees it, as text, as source, and its files. None of them may run or load."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.utils.http import content_disposition_header

from postroom.core.mail import selectors as mail
from postroom.web.shared.frames import POLICY, frame_response, under_subject
from postroom.web.shared.rooms import Room, in_room

_HARMLESS: Final = frozenset(
    {"application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "text/calendar", "text/csv", "text/plain"}
)
"""What a browser is told of a file as it is; all else is plain octets to it."""


@in_room()
def show_body(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the mail as its reader sees it, for the frame of the page."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    shown = mail.show_message(message=message)
    return frame_response(under_subject(shown.subject, shown.html or f"<pre>{escape(shown.text)}</pre>"))


@in_room()
def show_text(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show what a reader without HTML sees."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    return _plain(mail.show_message(message=message).text or "(The mail has no plain text.)")


@in_room()
def show_source(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the HTML as it is written."""
    message = mail.get_message(workspace=room.workspace, uid=uid)
    return _plain(mail.show_message(message=message).html or "(The mail has no HTML.)")


@in_room()
def fetch_file(request: HttpRequest, room: Room, uid: UUID, number: int) -> HttpResponse:
    """Hand a file over, to be kept and not to be opened here."""
    file = mail.get_attached_file(workspace=room.workspace, uid=uid, number=number)
    kind = file.content_type.lower()
    response = HttpResponse(file.content, content_type=kind if kind in _HARMLESS else "application/octet-stream")
    response.headers["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _plain(words: str) -> HttpResponse:
    """Return ``words`` for the frame, lines broken where they are too long for it."""
    body = f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere;padding:12px 16px;margin:0">{escape(words)}</pre>'
    return frame_response(f"<!doctype html><html><body style='margin:0'>{body}</body></html>")
