"""The table of contacts: searched while one types, filtered, paged; and the same search for choosing one person."""

from contextlib import nullcontext, suppress
from typing import Final

from django.http import HttpRequest, HttpResponse

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import BulkKind, Selection
from postroom.web.shared.pages import EXPECTED, render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room, is_fragment
from postroom.web.shared.selections import read_filters

PAGE_SIZE: Final = 50
CHOICES: Final = 8
COUNT_LIMIT: Final = 10_000


@in_room()
def show_contacts(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the people of the workspace, searched and filtered; the table alone when HTMX asks."""
    selection = read_filters(request.GET)
    stretch = contacts.Stretch(
        before=whole_number(request.GET.get("before")), after=whole_number(request.GET.get("after")), size=PAGE_SIZE
    )
    context: dict[str, object] = {"selection": selection, "kinds": BulkKind.choices}
    try:
        with contacts.segment_time_limit() if selection.segment_id else nullcontext():
            context["shown"] = contacts.browse_contacts(workspace=room.workspace, selection=selection, stretch=stretch)
    except EXPECTED as error:
        context["fault"] = error.message
    if is_fragment(request):
        return render_page(request, room, "web/contacts/_table.html", context)
    context["lists"] = contacts.list_lists(workspace=room.workspace)
    context["tags"] = contacts.list_tags(workspace=room.workspace)
    context["segments"] = contacts.list_segments(workspace=room.workspace)
    return render_page(request, room, "web/contacts/list.html", context)


@in_room()
def count_contacts(request: HttpRequest, room: Room) -> HttpResponse:
    """Show how many people the table has in all: a part by itself, for counting a million takes a moment."""
    selection = read_filters(request.GET)
    context = {"count": _count(room, selection, None), "selection": selection}
    if context["count"] is None:
        context["least"] = _count(room, selection, COUNT_LIMIT)
    return render_page(request, room, "web/contacts/_count.html", context)


@in_room()
def find_contacts(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the few newest who answer a search, each to be chosen: a part for forms that need one person.

    ``name`` is what the form calls the choice, ``not`` the uid of somebody who is not offered.
    """
    selection = Selection(search=request.GET.get("q", "")[:300])
    stretch = contacts.Stretch(size=CHOICES + 1)
    found = contacts.browse_contacts(workspace=room.workspace, selection=selection, stretch=stretch)
    people = [one for one in found.items if str(one.uid) != request.GET.get("not")][:CHOICES]
    name = request.GET.get("name", "contact")
    context = {"people": people, "search": selection.search, "name": name if name.isidentifier() else "contact"}
    return render_page(request, room, "web/contacts/_choices.html", context)


def _count(room: Room, selection: Selection, at_most: int | None) -> int | None:
    with suppress(*EXPECTED), contacts.segment_time_limit():
        return contacts.count_people(workspace=room.workspace, selection=selection, at_most=at_most)
    return None
