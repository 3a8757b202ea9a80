"""The company pages: the list with search, one company with its people and what last passed with them."""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.kit import clock
from postroom.web.companies.forms import CompanyForm
from postroom.web.shared.pages import errors_flashed, errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room, is_fragment

if TYPE_CHECKING:
    from postroom.core.contacts.models import Contact


@in_room()
def show_companies(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the companies by name, searched; each to be chosen for the person that ``for`` names."""
    search = request.GET.get("q", "")[:300]
    page = contacts.list_accounts(workspace=room.workspace, search=search, page=page_request(request))
    context: dict[str, object] = {"page": page, "search": search, "person": _find_person(request, room)}
    template = "web/companies/_table.html" if is_fragment(request) else "web/companies/list.html"
    return render_page(request, room, template, context)


@in_room()
def show_company(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show a company, its people, and what last passed between them and the team."""
    account = contacts.get_account(workspace=room.workspace, uid=uid)
    context = {
        "account": account,
        "page": contacts.list_account_people(workspace=room.workspace, account=account, page=page_request(request)),
        "notes": contacts.list_account_interactions(workspace=room.workspace, account=account, viewer_id=room.user.pk),
    }
    return render_page(request, room, "web/companies/company.html", context)


@in_room(methods=("GET", "HEAD", "POST"))
def add_company(request: HttpRequest, room: Room) -> HttpResponse:
    """Store a company."""
    form = CompanyForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            account = services.create_account(
                workspace=room.workspace, details=form.to_details(), actor=room.actor, now=clock.now()
            )
            return redirect("web:company", room.workspace.slug, account.uid)
    return render_page(request, room, "web/companies/form.html", {"form": form, "heading": "Add a company"})


@in_room(methods=("GET", "HEAD", "POST"))
def edit_company(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Say anew what is known of a company."""
    account = contacts.get_account(workspace=room.workspace, uid=uid)
    known = {name: getattr(account, name) for name in CompanyForm.base_fields}
    form = CompanyForm(request.POST or None, initial=known)
    if form.is_valid():
        with errors_in(form):
            services.update_account(
                workspace=room.workspace, uid=uid, details=form.to_details(), actor=room.actor, now=clock.now()
            )
            return redirect("web:company", room.workspace.slug, uid)
    context = {"form": form, "heading": f"Change {account}", "account": account}
    return render_page(request, room, "web/companies/form.html", context)


@in_room(methods=("POST",))
def delete_company(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Forget a company; its people stay."""
    with errors_flashed(request):
        services.delete_account(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
        messages.success(request, "The company is gone; its people are still here.")
    return redirect("web:companies", room.workspace.slug)


def _find_person(request: HttpRequest, room: Room) -> "Contact | None":
    """Return whom a company is to be chosen for, if anybody. Raises NoSuchContact for somebody who is not here."""
    with suppress(ValueError):
        return contacts.get_contact(workspace=room.workspace, uid=UUID(request.GET.get("for", "")))
    return None
