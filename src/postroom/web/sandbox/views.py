"""The sandbox mailbox: mail that was taken instead of sent, as its reader would see it and as it went over the wire."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

from postroom.core.mail import selectors as mail
from postroom.web.shared.frames import frame_response
from postroom.web.shared.pages import page_request, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room()
def show_mailbox(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the captured mails, newest first."""
    page = mail.list_sandbox_mails(workspace=room.workspace, page=page_request(request))
    return render_page(request, room, "web/sandbox/list.html", {"page": page})


@in_room()
def show_mail(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one mail with its headers."""
    opened = mail.get_sandbox_mail(workspace=room.workspace, uid=uid)
    return render_page(request, room, "web/sandbox/mail.html", {"opened": opened})


@in_room()
def show_body(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the mail's own HTML, for the frame of the page."""
    opened = mail.get_sandbox_mail(workspace=room.workspace, uid=uid)
    return frame_response(opened.html or f"<pre>{escape(opened.text)}</pre>")


@in_room()
def show_raw(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send the octets as they came over the wire."""
    opened = mail.get_sandbox_mail(workspace=room.workspace, uid=uid)
    response = HttpResponse(bytes(opened.mail.raw), content_type="text/plain; charset=utf-8")
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
