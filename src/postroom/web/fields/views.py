"""The field pages: what is asked about people, in which order, as what type."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import RunStatus
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.fields.forms import FieldEditForm, FieldForm, FieldTypeForm, MoveForm
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

_LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


@in_room()
def show_fields(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the fields in order."""
    fields = contacts.list_fields(workspace=room.workspace)
    return render_page(request, room, "web/fields/list.html", {"fields": fields})


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN)
def add_field(request: HttpRequest, room: Room) -> HttpResponse:
    """Define a field."""
    form = FieldForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            field = services.create_field(
                workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"The field {field.label} is there.")
            return redirect("web:fields", room.workspace.slug)
    return render_page(request, room, "web/fields/form.html", {"form": form})


@in_room(methods=("GET", "HEAD", "POST"), write=Role.ADMIN)
def show_field(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show a field to be changed, with the state of its last change of type; that alone when HTMX asks."""
    field = contacts.get_field(workspace=room.workspace, uid=uid)
    known = {"label": field.label, "description": field.description, "options": "\n".join(field.options)}
    form = FieldEditForm(request.POST or None, initial=known)
    if form.is_valid():
        with errors_in(form):
            services.update_field(
                workspace=room.workspace, uid=uid, changes=form.to_changes(), actor=room.actor, now=clock.now()
            )
            messages.success(request, "The field is saved.")
            return redirect("web:field", room.workspace.slug, uid)
    run = contacts.find_type_change(field=field)
    type_form = FieldTypeForm(initial={"type": field.type, "options": known["options"]}, auto_id="type_%s")
    context = {"field": field, "form": form, "type_form": type_form, "run": run}
    context["is_live"] = run is not None and run.status in _LIVE
    template = "web/fields/_run.html" if is_fragment(request) else "web/fields/field.html"
    return render_page(request, room, template, context)


@in_room(methods=("POST",), write=Role.ADMIN)
def change_type(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Have a field given another type, if no value is lost by it."""
    form = FieldTypeForm(request.POST)
    contacts.get_field(workspace=room.workspace, uid=uid)
    if form.is_valid():
        type_, options = form.chosen
        with errors_flashed(request):
            services.change_field_type(
                workspace=room.workspace,
                uid=uid,
                type=type_,
                options=options,
                actor=room.actor,
                now=clock.now(),
            )
    return redirect("web:field", room.workspace.slug, uid)


@in_room(methods=("POST",), write=Role.ADMIN)
def move_field(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Move a field up or down."""
    form = MoveForm(request.POST)
    contacts.get_field(workspace=room.workspace, uid=uid)
    if form.is_valid():
        services.move_field(
            workspace=room.workspace,
            uid=uid,
            steps=form.cleaned_data["steps"],
            actor=room.actor,
            now=clock.now(),
        )
    return redirect("web:fields", room.workspace.slug)


@in_room(methods=("POST",), write=Role.ADMIN)
def delete_field(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a field; what people said stays."""
    with errors_flashed(request):
        services.delete_field(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The field is gone. What people have in it stays, should you define it again.")
    return redirect("web:fields", room.workspace.slug)
