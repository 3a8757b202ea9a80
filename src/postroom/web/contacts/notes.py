"""Notes about a person: written down, changed by their author, taken away."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.kit import clock
from postroom.web.contacts.forms import NoteForm
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room(methods=("GET", "HEAD", "POST"))
def add_note(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Write down what passed between a person and the team."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    form = NoteForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            services.add_interaction(
                workspace=room.workspace, contact_uid=uid, new=form.to_new(), actor=room.actor, now=clock.now()
            )
            return redirect("web:contact", room.workspace.slug, contact.uid)
    context = {"form": form, "contact": contact, "heading": "Write a note"}
    return render_page(request, room, "web/contacts/note.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def edit_note(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Write a note anew; its author may, and an administrator."""
    note = contacts.get_interaction(workspace=room.workspace, uid=uid, viewer_id=room.user.pk)
    known = {name: getattr(note, name) for name in ("type", "subject", "body", "occurred_at")}
    form = NoteForm(request.POST or None, initial={**known, "is_private": not note.is_team_visible})
    if form.is_valid():
        with errors_in(form):
            services.edit_interaction(
                workspace=room.workspace,
                uid=uid,
                new=form.to_new(),
                actor=room.actor,
                now=clock.now(),
                is_admin=room.can_administer,
            )
            return redirect("web:contact", room.workspace.slug, note.contact.uid)
    is_own = room.can_administer or note.created_by_id == room.user.pk
    context = {"form": form, "contact": note.contact, "note": note, "heading": "Change a note", "is_own": is_own}
    return render_page(request, room, "web/contacts/note.html", context)


@in_room(methods=("POST",))
def delete_note(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Take a note away."""
    note = contacts.get_interaction(workspace=room.workspace, uid=uid, viewer_id=room.user.pk)
    contact_uid = note.contact.uid
    with errors_flashed(request):
        services.delete_interaction(
            workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now(), is_admin=room.can_administer
        )
        messages.success(request, "The note is gone.")
    return redirect("web:contact", room.workspace.slug, contact_uid)
