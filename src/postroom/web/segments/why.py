"""The page that says why somebody is in a segment, or out of it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Selection
from postroom.kit import clock
from postroom.web.segments.builder import load_mailings, load_questions
from postroom.web.segments.forms import SegmentForm
from postroom.web.segments.words import tell
from postroom.web.shared.pages import errors_in, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

OFFERED = 8


@in_room()
def show_why(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Find a person, then show every condition with its answer for them; that part alone when HTMX asks."""
    segment = contacts.get_segment(workspace=room.workspace, uid=uid)
    search, form = request.GET.get("q", "").strip(), SegmentForm({"name": "-"})
    context: dict[str, object] = {"segment": segment, "search": search, "form": form}
    if contact_uid := _uid(request.GET.get("contact", "")):
        contact = contacts.get_contact(workspace=room.workspace, uid=contact_uid)
        context["contact"] = contact
        with errors_in(form):
            told = contacts.explain_membership(
                workspace=room.workspace, filter=segment.filter, contact_uid=contact.uid, now=clock.now()
            )
            context["told"] = tell(told, load_questions(room), load_mailings(room))
    elif search:
        selection, stretch = Selection(search=search), contacts.Stretch(size=OFFERED)
        shown = contacts.browse_contacts(workspace=room.workspace, selection=selection, stretch=stretch)
        context["people"] = shown.items
    template = "web/segments/_why.html" if is_fragment(request) else "web/segments/why.html"
    return render_page(request, room, template, context)


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
