"""The pages of one person: facts, standing, timeline; adding and changing."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import ConsentState, MemberStatus
from postroom.core.insights import selectors as insights
from postroom.core.insights.types import TimelineKind
from postroom.kit import clock
from postroom.web.contacts.forms import (
    CompanyPlaceForm,
    ConsentForm,
    ContactForm,
    MembershipForm,
    NoteForm,
    TagForm,
)
from postroom.web.shared.pages import errors_flashed, errors_in, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

SOURCE = "told to a colleague"
STRETCH = 50


@in_room()
def show_contact(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one person: facts, consent, lists, tags, companies and the timeline; the timeline alone when HTMX asks."""
    kind, before = request.GET.get("kind", ""), request.GET.get("before", "")
    timeline = insights.contact_timeline(
        workspace=room.workspace,
        contact_uid=uid,
        kinds=(TimelineKind(kind),) if kind in TimelineKind.values else (),
        before=before,
        size=STRETCH,
        viewer_id=room.user.pk,
    )
    context: dict[str, object] = {"timeline": timeline, "kind": kind, "kinds": TimelineKind.choices, "before": before}
    if is_fragment(request):
        return render_page(request, room, "web/contacts/_timeline.html", {**context, "contact_uid": uid})
    card = contacts.describe_contact(workspace=room.workspace, uid=uid)
    if card.contact.uid != uid:
        messages.success(request, f"The record you asked for was merged: this is {card.contact} now.")
        return redirect("web:contact", room.workspace.slug, card.contact.uid)
    return _show(request, room, card, {**context, "contact_uid": uid})


def _show(request: HttpRequest, room: Room, card: contacts.ContactCard, context: dict[str, object]) -> HttpResponse:
    joined = {member.list_id for member in card.memberships}
    lists = contacts.list_lists(workspace=room.workspace)
    context |= {
        "card": card,
        "other_lists": [one for one in lists if one.pk not in joined],
        "suggested_companies": contacts.suggest_accounts(workspace=room.workspace, contact=card.contact),
        "segments": contacts.list_segments(workspace=room.workspace),
        "note_form": NoteForm(),
    }
    return render_page(request, room, "web/contacts/contact.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def add_contact(request: HttpRequest, room: Room) -> HttpResponse:
    """Store a new person."""
    form = ContactForm(request.POST or None, fields=contacts.list_fields(workspace=room.workspace))
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
    """Change who somebody is: in place when HTMX asks, on a page of its own otherwise."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    form = ContactForm(request.POST or None, fields=contacts.list_fields(workspace=room.workspace), contact=contact)
    if form.is_valid():
        with errors_in(form):
            services.update_contact(
                workspace=room.workspace, uid=uid, changes=form.to_changes(), actor=room.actor, now=clock.now()
            )
            return redirect("web:contact", room.workspace.slug, contact.uid)
    context = {"form": form, "heading": f"Change {contact}", "contact": contact}
    template = "web/contacts/_edit.html" if is_fragment(request) else "web/contacts/form.html"
    return render_page(request, room, template, context)


@in_room(methods=("POST",))
def delete_contact(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Take a person out of the workspace."""
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    services.delete_contact(workspace=room.workspace, uid=contact.uid, actor=room.actor, now=clock.now())
    messages.success(request, f"{contact} is no contact of this workspace any more.")
    return redirect("web:contacts", room.workspace.slug)


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
            member = services.set_list_member(
                workspace=room.workspace,
                list_id=form.cleaned_data["list_id"],
                contact_id=contact.pk,
                status=MemberStatus(form.cleaned_data["status"]),
                source=SOURCE,
                actor=room.actor,
                now=clock.now(),
            )
            if member.status == MemberStatus.PENDING:
                messages.success(request, "A mail asks them to confirm; they are on the list once they do.")
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


@in_room(methods=("POST",))
def change_company(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Put a person into a company, give them a role there, or take them out."""
    form = CompanyPlaceForm(request.POST)
    contact = contacts.get_contact(workspace=room.workspace, uid=uid)
    if form.is_valid():
        said = form.cleaned_data
        with errors_flashed(request):
            if said["is_removal"]:
                services.unlink_account(
                    workspace=room.workspace,
                    uid=said["account"],
                    contact_uid=contact.uid,
                    actor=room.actor,
                    now=clock.now(),
                )
            else:
                services.link_account(
                    workspace=room.workspace,
                    uid=said["account"],
                    contact_uid=contact.uid,
                    role=said["role"],
                    actor=room.actor,
                    now=clock.now(),
                )
    return redirect("web:contact", room.workspace.slug, uid)
