"""Merging two records of one person: find the other, look at what would become of both, do it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import Selection
from postroom.kit import clock
from postroom.kit.errors import Invalid
from postroom.web.shared.pages import render_page
from postroom.web.shared.rooms import Room, in_room

if TYPE_CHECKING:
    from postroom.core.contacts.models import Contact
    from postroom.core.contacts.types import Side

FOUND = 10
_CHOICE = "choose-"


@in_room(methods=("GET", "HEAD", "POST"))
def merge_contact(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show who may be the same person, then what a merge would make of the two, and do it when told so."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    if contact.uid != uid:
        return redirect("web:contact", room.workspace.slug, contact.uid)
    sent = request.POST if request.method == "POST" else request.GET
    if not (text := sent.get("with", "")):
        return _show_candidates(request, room, contact)
    other_uid, choices = _read_uid(text), _read_choices(sent)
    if request.method == "POST":
        try:
            survivor = services.merge_contacts(
                workspace=room.workspace,
                survivor_uid=uid,
                other_uid=other_uid,
                choices=choices,
                actor=room.actor,
                now=clock.now(),
            )
        except Invalid as error:
            messages.error(request, error.message)
            return redirect("web:contact_merge", room.workspace.slug, uid)
        messages.success(request, "The two records are one now. Old links lead here.")
        return redirect("web:contact", room.workspace.slug, survivor.uid)
    return _show_preview(request, room, uid, other_uid)


def _show_candidates(request: HttpRequest, room: Room, contact: "Contact") -> HttpResponse:
    search = request.GET.get("q", "")[:300]
    found: list[Contact] = []
    if search.strip():
        stretch = contacts.Stretch(size=FOUND + 1)
        shown = contacts.browse_contacts(workspace=room.workspace, selection=Selection(search=search), stretch=stretch)
        found = [one for one in shown.items if one.pk != contact.pk][:FOUND]
    duplicates = contacts.find_duplicates(workspace=room.workspace, uid=contact.uid)
    context = {"contact": contact, "duplicates": duplicates, "found": found, "search": search}
    return render_page(request, room, "web/contacts/merge_find.html", context)


def _show_preview(request: HttpRequest, room: Room, uid: UUID, other_uid: UUID) -> HttpResponse:
    try:
        preview = contacts.preview_merge(workspace=room.workspace, survivor_uid=uid, other_uid=other_uid)
    except Invalid as error:
        messages.error(request, error.message)
        return redirect("web:contact_merge", room.workspace.slug, uid)
    return render_page(request, room, "web/contacts/merge.html", {"preview": preview})


def _read_uid(text: str) -> UUID:
    with suppress(ValueError):
        return UUID(text)
    raise Http404("There is no such person in this workspace.")


def _read_choices(sent: Mapping[str, str]) -> "dict[str, Side]":
    choices: dict[str, Side] = {}
    for name, value in sent.items():
        if name.startswith(_CHOICE) and value in ("survivor", "other"):
            choices[name.removeprefix(_CHOICE)] = "survivor" if value == "survivor" else "other"
    return choices
