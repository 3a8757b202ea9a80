"""Rendering: full pages in the house's frame, fragments for HTMX, and what a page says when something went wrong."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.core.mail import selectors as mail
from postroom.core.workspaces import selectors as workspaces
from postroom.kit.errors import Conflict, Invalid, NotPermitted, RateLimited, Unavailable
from postroom.kit.paging import PageRequest
from postroom.web.shared.menu import MENU
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room

EXPECTED = (Invalid, Conflict, NotPermitted, RateLimited, Unavailable)
LAST_PAGE = 1_000_000


def render_page(
    request: HttpRequest, room: Room, template: str, context: Mapping[str, object], *, status: int = 200
) -> HttpResponse:
    """Return ``template`` in the workspace's frame; what the frame shows loads only when it is shown."""
    area = request.path.split("/")[3] or "overview"
    frame = {
        "room": room,
        "area": area,
        "menu": MENU,
        "rooms": lambda: workspaces.list_workspaces(user=room.user),
        "stop": lambda: mail.find_stop(workspace=room.workspace),
    }
    return render(request, template, {**frame, **context}, status=status)


def page_request(request: HttpRequest, *, size: int = 50) -> PageRequest:
    """Return the page the query string asks for; nonsense means the first."""
    number = whole_number(request.GET.get("page")) or 1
    return PageRequest(number=min(number, LAST_PAGE), size=size, with_total=True)


@contextmanager
def errors_in(form: Form) -> Iterator[None]:
    """Show an expected failure of the core above the form that caused it."""
    try:
        yield
    except EXPECTED as error:
        form.add_error(None, error.message)


@contextmanager
def errors_flashed(request: HttpRequest) -> Iterator[None]:
    """Show an expected failure of the core on top of the next page."""
    try:
        yield
    except EXPECTED as error:
        messages.error(request, error.message)
