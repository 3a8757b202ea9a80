"""The contact pages: the table with search, one person with facts and timeline, adding and changing."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import ConsentState, MemberStatus
from postroom.core.insights import selectors as insights
from postroom.kit import clock
from postroom.web.contacts.forms import ConsentForm, ContactForm, MembershipForm, TagForm
from postroom.web.shared.pages import errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room, is_fragment

SOURCE = "told to a colleague"


@in_room()
def show_contacts(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the people of the workspace, searched and filtered; the table alone when HTMX asks."""
    search, tag = request.GET.get("q", ""), request.GET.get("tag", "")
    list_id, segment_id = whole_number(request.GET.get("list")), whole_number(request.GET.get("segment"))
    page = contacts.list_contacts(
        workspace=room.workspace,
        search=search,
        list_id=list_id,
        tag=tag or None,
        segment_id=segment_id,
        page=page_request(request),
    )
    context: dict[str, object] = {"page": page, "search": search, "tag": tag}
    context |= {"list_id": list_id, "segment_id": segment_id}
    if is_fragment(request):
        return render_page(request, room, "web/contacts/_table.html", context)
    context["lists"] = contacts.list_lists(workspace=room.workspace)
    context["tags"] = contacts.list_tags(workspace=room.workspace)
    context["segments"] = contacts.list_segments(workspace=room.workspace)
    return render_page(request, room, "web/contacts/list.html", context)


@in_room()
def show_contact(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one person: facts, consent, lists, tags and the timeline."""
    timeline = insights.contact_timeline(workspace=room.workspace, contact_uid=uid, page=page_request(request))
    card = contacts.describe_contact(workspace=room.workspace, uid=uid)
    joined = {member.list_id for member in card.memberships}
    others = [one for one in contacts.list_lists(workspace=room.workspace) if one.pk not in joined]
    context = {"card": card, "page": timeline, "other_lists": others}
    return render_page(request, room, "web/contacts/contact.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def add_contact(request: HttpRequest, room: Room) -> HttpResponse:
    """Store a new person."""
    form = ContactForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            contact = services.create_contact(
                workspace=room.workspace, new=form.to_new(), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"{contact} is stored.")
            return redirect("web:contact", room.workspace.slug, contact.uid)
    return render_page(request, room, "web/contacts/form.html", {"form": form, "heading": "Add a contact"})


@in_room(methods=("GET", "HEAD", "POST"))
def edit_contact(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Change who somebody is."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    known = {name: getattr(contact, name) for name in ContactForm.base_fields}
    form = ContactForm(request.POST or None, initial=known)
    if form.is_valid():
        with errors_in(form):
            services.update_contact(
                workspace=room.workspace, uid=uid, changes=form.to_changes(), actor=room.actor, now=clock.now()
            )
            return redirect("web:contact", room.workspace.slug, uid)
    context = {"form": form, "heading": f"Change {contact}", "contact": contact}
    return render_page(request, room, "web/contacts/form.html", context)


@in_room(methods=("POST",))
def change_tag(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Put a tag on a person or take it off."""
    form = TagForm(request.POST)
    if form.is_valid():
        act = services.untag_contact if form.cleaned_data["is_removal"] else services.tag_contact
        with errors_flashed(request):
            act(
                workspace=room.workspace,
                uid=uid,
                tag_name=form.cleaned_data["name"],
                actor=room.actor,
                now=clock.now(),
            )
    return redirect("web:contact", room.workspace.slug, uid)


@in_room(methods=("POST",))
def change_list(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Set where a person stands with a list."""
    form = MembershipForm(request.POST)
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    if form.is_valid():
        with errors_flashed(request):
            services.set_list_member(
                workspace=room.workspace,
                list_id=form.cleaned_data["list_id"],
                contact_id=contact.pk,
                status=MemberStatus(form.cleaned_data["status"]),
                source=SOURCE,
                actor=room.actor,
                now=clock.now(),
            )
    return redirect("web:contact", room.workspace.slug, uid)


@in_room(methods=("POST",))
def change_consent(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Record a person's word on a category of mail."""
    form = ConsentForm(request.POST)
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    if form.is_valid():
        with errors_flashed(request):
            services.set_consent(
                workspace=room.workspace,
                contact_id=contact.pk,
                category_id=form.cleaned_data["category_id"],
                state=ConsentState(form.cleaned_data["state"]),
                source=SOURCE,
                actor=room.actor,
                now=clock.now(),
            )
    return redirect("web:contact", room.workspace.slug, uid)
