"""What people do to sender accounts, limits and brakes, and how they stop everything."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from postroom.core.mail import selectors as mail
from postroom.core.mail import services
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.senders.forms import BrakesForm, TestForm, WarmUpForm
from postroom.web.senders.limit_forms import LimitForm
from postroom.web.senders.views import render_sender, render_senders
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room(methods=("POST",), write=Role.ADMIN)
def switch_sender(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Switch an account off, or on again."""
    is_on = request.POST.get("on") == "yes"
    sender = services.switch_sender(workspace=room.workspace, uid=uid, is_on=is_on, actor=room.actor, now=clock.now())
    messages.success(request, f"{sender.name} is switched {'on' if is_on else 'off'}.")
    return redirect("web:sender", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def choose_relay(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have an account carry the mail of every verified domain, or no longer."""
    is_on = request.POST.get("is_relay") == "on"
    with errors_flashed(request):
        sender = services.choose_relay(
            workspace=room.workspace, uid=uid, is_on=is_on, actor=room.actor, now=clock.now()
        )
        carries = "carries the mail of every verified domain" if is_on else "carries its own mail only"
        messages.success(request, f"{sender.name} {carries}.")
    return redirect("web:sender", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def delete_sender(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Delete an account that nothing was sent with."""
    with errors_flashed(request):
        services.delete_sender(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The account is deleted.")
        return redirect("web:senders", room.workspace.slug)
    return redirect("web:sender", room.workspace.slug, uid)


@in_room(methods=("POST",))
def test_sender(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Send a mail by an account; its page then shows what came of it."""
    form = TestForm(request.POST)
    address = reverse("web:sender", args=(room.workspace.slug, uid))
    if form.is_valid():
        with errors_flashed(request):
            accepted = services.send_sender_test(
                workspace=room.workspace, uid=uid, to=form.cleaned_data["to"], actor=room.actor, now=clock.now()
            )
            return redirect(f"{address}?test={accepted.uid}#test")
    return redirect(address)


@in_room(methods=("POST",), write=Role.ADMIN)
def warm_up(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Hold an account to a plan that starts today."""
    form = WarmUpForm(request.POST)
    if form.is_valid():
        with errors_in(form):
            services.start_warm_up(
                workspace=room.workspace, uid=uid, plan=form.to_plan(), actor=room.actor, now=clock.now()
            )
            messages.success(request, "The plan starts today.")
            return redirect("web:sender", room.workspace.slug, uid)
    return render_sender(request, room, mail.get_sender(workspace=room.workspace, uid=uid), form)


@in_room(methods=("POST",), write=Role.ADMIN)
def end_warm_up(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Let an account send without its plan."""
    services.end_warm_up(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "The plan has ended.")
    return redirect("web:sender", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def add_limit(request: HttpRequest, room: Room) -> HttpResponse:
    """Set a limit."""
    form = LimitForm(request.POST, workspace=room.workspace)
    if form.is_valid():
        with errors_in(form):
            services.set_limit(workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now())
            messages.success(request, "The limit holds from now on.")
            return redirect("web:senders", room.workspace.slug)
    return render_senders(request, room, form)


@in_room(methods=("GET", "HEAD", "POST"), read=Role.ADMIN, write=Role.ADMIN)
def edit_limit(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change a limit."""
    limit = mail.get_limit(workspace=room.workspace, uid=uid)
    form = LimitForm(request.POST or None, workspace=room.workspace, limit=limit)
    if form.is_valid():
        with errors_in(form):
            services.set_limit(workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now(), uid=uid)
            messages.success(request, "The limit is changed.")
            return redirect("web:senders", room.workspace.slug)
    return render_page(request, room, "web/senders/limit.html", {"limit_form": form, "limit": limit})


@in_room(methods=("POST",), write=Role.ADMIN)
def remove_limit(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Remove a limit."""
    services.remove_limit(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, "The limit is removed.")
    return redirect("web:senders", room.workspace.slug)


@in_room(methods=("POST",), write=Role.ADMIN)
def set_brakes(request: HttpRequest, room: Room) -> HttpResponse:
    """Set when campaigns stop themselves."""
    form = BrakesForm(request.POST)
    if form.is_valid():
        with errors_in(form):
            services.set_brake_levels(
                workspace=room.workspace, levels=form.to_levels(), actor=room.actor, now=clock.now()
            )
            messages.success(request, "The brakes are set.")
            return redirect("web:senders", room.workspace.slug)
    return render_senders(request, room, LimitForm(None, workspace=room.workspace), form)


@in_room(methods=("POST",), write=Role.ADMIN)
def stop(request: HttpRequest, room: Room) -> HttpResponse:
    """Let nothing of the workspace leave any more."""
    services.stop_workspace(workspace=room.workspace, actor=room.actor, now=clock.now())
    return redirect("web:senders", room.workspace.slug)


@in_room(methods=("POST",), write=Role.ADMIN)
def resume(request: HttpRequest, room: Room) -> HttpResponse:
    """Let the workspace send again."""
    services.resume_workspace(workspace=room.workspace, actor=room.actor, now=clock.now())
    messages.success(request, "Mail leaves again.")
    return redirect("web:senders", room.workspace.slug)


@in_room(methods=("POST",), write=Role.ADMIN)
def stop_everything(request: HttpRequest, room: Room) -> HttpResponse:
    """Let nothing of anybody leave any more; for the staff of the installation."""
    _require_staff(room)
    services.stop_installation(actor=room.actor, now=clock.now())
    return redirect("web:senders", room.workspace.slug)


@in_room(methods=("POST",), write=Role.ADMIN)
def resume_everything(request: HttpRequest, room: Room) -> HttpResponse:
    """Let everybody send again; for the staff of the installation."""
    _require_staff(room)
    services.resume_installation(actor=room.actor, now=clock.now())
    messages.success(request, "Mail leaves again, but for workspaces that are stopped themselves.")
    return redirect("web:senders", room.workspace.slug)


def _require_staff(room: Room) -> None:
    if not room.user.is_staff:
        raise PermissionDenied("Only the staff of the installation may do this.")
