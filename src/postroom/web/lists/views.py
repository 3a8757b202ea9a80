"""The lists of a workspace, and the categories of mail people consent to."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import slugify

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts import services
from postroom.kit import clock
from postroom.web.lists.forms import CategoryForm, ListForm
from postroom.web.shared.pages import errors_in, render_page
from postroom.web.shared.rooms import Room, in_room


@in_room(methods=("GET", "HEAD", "POST"))
def show_lists(request: HttpRequest, room: Room) -> HttpResponse:
    """Show all lists with their members counted; make a new one."""
    form = ListForm(request.POST or None)
    if form.is_valid():
        with errors_in(form):
            made = services.create_list(
                workspace=room.workspace, actor=room.actor, now=clock.now(), **form.cleaned_data
            )
            messages.success(request, f"The list {made.name} is made.")
            return redirect("web:lists", room.workspace.slug)
    return _render(request, room, form, CategoryForm())


@in_room(methods=("POST",))
def add_category(request: HttpRequest, room: Room) -> HttpResponse:
    """Make a category of mail."""
    form = CategoryForm(request.POST)
    if form.is_valid():
        with errors_in(form):
            name = form.cleaned_data["name"]
            services.create_category(
                workspace=room.workspace, name=name, slug=slugify(name), actor=room.actor, now=clock.now()
            )
            messages.success(request, f"The category {name} is made.")
            return redirect("web:lists", room.workspace.slug)
    return _render(request, room, ListForm(), form)


def _render(request: HttpRequest, room: Room, form: ListForm, category_form: CategoryForm) -> HttpResponse:
    context = {
        "form": form,
        "category_form": category_form,
        "lists": contacts.list_lists(workspace=room.workspace),
        "categories": contacts.list_categories(workspace=room.workspace),
    }
    return render_page(request, room, "web/lists/list.html", context)
