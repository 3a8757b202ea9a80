"""The lists of a workspace: what they are called, how people come onto them, who is there and who still waits."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.campaigns import services as campaigns
from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.core.contacts.types import MemberStatus
from postroom.core.mail import selectors as mail
from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Door
from postroom.kit import clock
from postroom.web.lists.forms import AskForm, ConfirmForm, ListForm, NewListForm
from postroom.web.shared.frames import frame_response, under_subject
from postroom.web.shared.pages import errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.contacts.models import List

Counts = Mapping[str, int]


@in_room(methods=("GET", "HEAD", "POST"))
def show_lists(request: HttpRequest, room: Room) -> HttpResponse:
    """Show all lists, their members counted once the page stands; make a new one."""
    form = NewListForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            made = services.create_list(
                workspace=room.workspace, actor=room.actor, now=clock.now(), **form.cleaned_data
            )
            messages.success(request, f"The list {made.name} is made.")
            return redirect("web:list", room.workspace.slug, made.uid)
    is_counting = is_fragment(request) or "counted" in request.GET
    counts = contacts.count_members(workspace=room.workspace) if is_counting else {}
    lists = contacts.list_lists(workspace=room.workspace)
    rows = [(one, _counted(counts.get(one.pk, {}))) for one in lists]
    template = "web/lists/_table.html" if is_fragment(request) else "web/lists/list.html"
    return render_page(request, room, template, {"form": form, "rows": rows, "is_counted": is_counting})


@in_room(methods=("GET", "HEAD", "POST"))
def show_list(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one list; change what it is called."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    form = ListForm.about(contacts.list_terms(list_), request.POST or None)
    if _is_saved(request, room, list_, form):
        return redirect("web:list", room.workspace.slug, uid)
    context = {"list": list_, "form": form, "tab": "about", "address": workspaces.door_address(door=Door.USESEND)}
    return render_page(request, room, "web/lists/one.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def show_asking(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show how people come onto a list and who has not confirmed yet; change it."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    form = ConfirmForm.about(contacts.list_terms(list_), request.POST or None)
    if _is_saved(request, room, list_, form):
        return redirect("web:list_asking", room.workspace.slug, uid)
    waiting = contacts.list_waiting(workspace=room.workspace, list_id=list_.pk)
    context = {"list": list_, "form": form, "tab": "asking", "waiting": waiting}
    return render_page(request, room, "web/lists/asking.html", context)


@in_room()
def show_members(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show who is on a list, how they stand with it and what it knows of them."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    page = contacts.page_book_contacts(workspace=room.workspace, list_=list_, page=page_request(request))
    return render_page(request, room, "web/lists/people.html", {"list": list_, "tab": "people", "page": page})


@in_room()
def count_list(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show how many people stand how with a list: a part of its page by itself, for counting takes a moment."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    counts = contacts.count_members(workspace=room.workspace, list_id=list_.pk).get(list_.pk, {})
    context = {"list": list_, "counts": _counted(counts)}
    return render_page(request, room, "web/lists/_counts.html", context)


@in_room()
def show_confirmation(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show the mail that asks people to confirm, as they would see it."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    preview = mail.preview_confirmation(list_=list_)
    return frame_response(under_subject(preview.subject, preview.html))


@in_room(methods=("POST",))
def ask_again(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Ask one person once more whether they want to be on a list, or everybody who was never asked."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    form = AskForm(request.POST)
    if form.is_valid():
        with errors_flashed(request):
            _ask(room, list_, form.cleaned_data["contact_uid"])
            messages.success(request, "The mail is on its way.")
    back = form.cleaned_data.get("contact_uid") if request.POST.get("back") == "contact" else None
    if back is not None:
        return redirect("web:contact", room.workspace.slug, back)
    return redirect("web:list_asking", room.workspace.slug, uid)


@in_room(methods=("POST",))
def delete_list(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a list; its people stay."""
    list_ = contacts.get_list_by_uid(workspace=room.workspace, uid=uid)
    with errors_flashed(request):
        campaigns.delete_list(workspace=room.workspace, list_id=list_.pk, actor=room.actor, now=clock.now())
        messages.success(request, f"The list {list_.name} is deleted. Its people are still contacts.")
        return redirect("web:lists", room.workspace.slug)
    return redirect("web:list", room.workspace.slug, uid)


def _is_saved(request: HttpRequest, room: Room, list_: "List", form: ListForm | ConfirmForm) -> bool:
    if not form.is_valid():
        return False
    terms = form.change(contacts.list_terms(list_))
    with errors_in(form):
        services.update_list(workspace=room.workspace, list_id=list_.pk, terms=terms, actor=room.actor, now=clock.now())
        messages.success(request, "Saved.")
        return True
    return False


def _ask(room: Room, list_: "List", contact_uid: UUID | None) -> None:
    if contact_uid is None:
        services.ask_confirmations(workspace=room.workspace, list_id=list_.pk, actor=room.actor, now=clock.now())
        return
    contact = contacts.get_contact(workspace=room.workspace, uid=contact_uid)
    services.ask_confirmation(
        workspace=room.workspace, list_id=list_.pk, contact_id=contact.pk, actor=room.actor, now=clock.now()
    )


def _counted(counts: Counts) -> Counts:
    return {status.value: counts.get(status.value, 0) for status in MemberStatus}
