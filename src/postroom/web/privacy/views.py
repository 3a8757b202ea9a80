"""One person's data handed out or erased by the team: members hand out, administrators erase."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.insights import selectors as insights
from postroom.core.insights.rules import pack_personal_data
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Role
from postroom.kit import clock
from postroom.web.privacy.forms import EraseForm
from postroom.web.shared.pages import render_page
from postroom.web.shared.rooms import Room, in_room
from postroom.web.templatetags.house import name_of


@in_room(methods=("POST",))
def export_person(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Hand out what is known of a person, as far as the colleague who asks may see it: of the other workspaces only the
    organization's administrators learn. It is written down who took it.
    """
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    now = clock.now()
    sees_all = workspaces.is_organization_admin(user=room.user, workspace=room.workspace)
    within = None if sees_all else room.workspace
    data = insights.collect_personal_data(contact=contact, within=within, viewer_id=room.user.pk)
    services.note_data_export(workspace=room.workspace, uid=uid, actor=room.actor, now=now)
    packed = pack_personal_data(data, holder=room.workspace.organization.name, now=now)
    response = HttpResponse(packed, content_type="application/zip")
    response.headers["Content-Disposition"] = 'attachment; filename="personal-data.zip"'
    return response


@in_room(methods=("GET", "HEAD", "POST"), read=Role.ADMIN, write=Role.ADMIN)
def erase_person(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Say what an erasure means; erase when the person's address was typed out."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    form = EraseForm(request.POST or None, expected=contact.email or name_of(contact))
    if form.is_valid():
        services.erase_contact(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The person is erased. The last copies are deleted within minutes.")
        return redirect("web:contacts", room.workspace.slug)
    return render_page(request, room, "web/privacy/erase.html", {"form": form, "contact": contact})
