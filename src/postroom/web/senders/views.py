"""The sender pages: accounts, and the way out of the sandbox."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.senders.forms import SmtpSenderForm
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room()
def show_senders(request: HttpRequest, room: Room) -> HttpResponse:
    """Show who sends."""
    senders = mail.list_senders(workspace=room.workspace)
    return render_page(request, room, "web/senders/list.html", {"senders": senders})


@in_room(methods=("GET", "HEAD", "POST"), read=Role.ADMIN, write=Role.ADMIN)
def add_sender(request: HttpRequest, room: Room) -> HttpResponse:
    """Store an SMTP account."""
    form = SmtpSenderForm(request.POST or None, workspace=room.workspace)
    if form.is_valid():
        with errors_in(form):
            made = services.create_sender(
                workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"{made.name} is ready to send.")
            return redirect("web:senders", room.workspace.slug)
    return render_page(request, room, "web/senders/form.html", {"form": form})


@in_room(methods=("POST",))
def add_sandbox(request: HttpRequest, room: Room) -> HttpResponse:
    """Make the sandbox account, unless it is there."""
    with errors_flashed(request):
        services.ensure_sandbox_sender(workspace=room.workspace, actor=room.actor, now=clock.now())
    return redirect("web:senders", room.workspace.slug)
