"""What a person does about one message: have it tried now, cancel it, never mail its address again."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from postroom.core.mail import services
from postroom.kit import clock
from postroom.web.messages.forms import RescheduleForm
from postroom.web.shared.pages import errors_flashed
from postroom.web.shared.rooms import Room, in_room


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
def reschedule(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have a message that waits for its time go at another one."""
    form = RescheduleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say the day and the time when it goes out.")
        return redirect("web:message", room.workspace.slug, uid)
    with errors_flashed(request):
        moment = form.cleaned_data["at"]
        services.reschedule_message(workspace=room.workspace, uid=uid, at=moment, actor=room.actor, now=clock.now())
        messages.success(request, f"It goes out {timezone.localtime(moment):%-d %b %Y at %H:%M}.")
    return redirect("web:message", room.workspace.slug, uid)


@in_room(methods=("POST",))
def suppress(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Never mail one of its recipients again."""
    email = request.POST.get("email", "")
    with errors_flashed(request):
        services.suppress_recipient(workspace=room.workspace, uid=uid, email=email, actor=room.actor, now=clock.now())
        messages.success(request, f"{email} gets no mail from this workspace any more.")
    return redirect("web:message", room.workspace.slug, uid)
