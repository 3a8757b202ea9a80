"""The preference centre behind a signed link, and the page on which anybody asks for theirs by e-mail."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from postroom.core.contacts import selectors, services
from postroom.core.contacts.rules.links import read_preference_token
from postroom.core.contacts.types import PreferenceCard, ReaderLink
from postroom.core.workspaces.selectors import find_only_workspace, find_workspace
from postroom.edge.brake import is_braked
from postroom.edge.pages import edge_page, reader_proof
from postroom.edge.preferences.forms import LinkForm, PreferencesForm
from postroom.edge.tracking.views import show_lost_link
from postroom.kit import clock
from postroom.kit.errors import NotFound


@require_http_methods(["GET", "HEAD", "POST"])
def show_preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is stored of a person's will, or store what they chose: all of it or nothing."""
    link = read_preference_token(token)
    if link is None:
        return show_lost_link(request)
    try:
        card = selectors.describe_preferences(link=link)
        return _save(request, link, card) if request.method == "POST" else _page(request, card)
    except NotFound:
        return show_lost_link(request)


@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a link sent to an address, with the same answer whether anybody knows it or not."""
    workspace = find_workspace(slug=slug)
    if workspace is None:
        return show_lost_link(request)
    if request.method == "POST" and is_braked(request, "preferences"):
        return edge_page(request, "edge/privacy_braked.html", {}, status=429)
    form = LinkForm(request.POST or None)
    if form.is_valid():
        services.ask_preference_link(workspace=workspace, email=form.cleaned_data["email"], now=clock.now())
    context: dict[str, object] = {"workspace_name": workspace.name, "slug": slug, "is_sent": form.is_valid()}
    return edge_page(request, "edge/preferences_ask.html", context)


@require_safe
def find_way(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks for a link, where there is but one; else say where it is found."""
    workspace = find_only_workspace()
    if workspace is not None:
        return redirect("edge:preferences_ask", workspace.slug)
    return edge_page(request, "edge/preferences_where.html", {})


def _save(request: HttpRequest, link: ReaderLink, card: PreferenceCard) -> HttpResponse:
    form = PreferencesForm(request.POST, card)
    if not form.is_valid():
        return _page(request, card, has_changed=True)
    saved = services.save_preferences(link=link, choices=form.choices, proof=reader_proof(request), now=clock.now())
    return _page(request, saved, is_saved=True)


def _page(
    request: HttpRequest, card: PreferenceCard, *, is_saved: bool = False, has_changed: bool = False
) -> HttpResponse:
    context: dict[str, object] = {"card": card, "is_saved": is_saved, "has_changed": has_changed}
    return edge_page(request, "edge/preferences.html", context)
