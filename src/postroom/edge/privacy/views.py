"""The public pages on one's own data: a form that tells nobody anything, and what a link from one's mailbox opens."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import NoSuchPrivacyLink, PrivacyLinkGone
from postroom.core.contacts.types import PrivacyRequestKind
from postroom.core.insights import selectors as insights
from postroom.core.insights.rules import pack_personal_data
from postroom.core.workspaces.selectors import find_workspace
from postroom.edge.brake import is_braked
from postroom.edge.pages import edge_page
from postroom.edge.privacy.forms import AskForm
from postroom.edge.tracking.views import show_lost_link
from postroom.kit import clock


@require_http_methods(["GET", "HEAD", "POST"])
def ask_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a link sent to an address, with the same answer whether anybody knows it or not."""
    workspace = find_workspace(slug=slug)
    if workspace is None:
        return show_lost_link(request)
    if request.method == "POST" and is_braked(request, "privacy"):
        return edge_page(request, "edge/privacy_braked.html", {}, status=429)
    form = AskForm(request.POST or None)
    if form.is_valid():
        kind = PrivacyRequestKind(form.cleaned_data["kind"])
        services.ask_privacy_link(workspace=workspace, email=form.cleaned_data["email"], kind=kind, now=clock.now())
    context: dict[str, object] = {"workspace": workspace, "is_sent": form.is_valid(), "has_erred": bool(form.errors)}
    return edge_page(request, "edge/privacy_ask.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the link would do, or do it: 404 for a link that is none, 410 for one that was used or has expired."""
    try:
        found = selectors.find_privacy_request(token=token, now=clock.now())
        is_erasure = found.kind == PrivacyRequestKind.ERASURE
        if request.method != "POST":
            template = "edge/privacy_erase.html" if is_erasure else "edge/privacy_export.html"
            return edge_page(request, template, {"found": found})
        return _erase(request, token) if is_erasure else _hand_over(token)
    except NoSuchPrivacyLink:
        return show_lost_link(request)
    except PrivacyLinkGone:
        return edge_page(request, "edge/privacy_gone.html", {}, status=410)


def _erase(request: HttpRequest, token: str) -> HttpResponse:
    done = services.erase_by_link(token=token, now=clock.now())
    return edge_page(request, "edge/privacy_erased.html", {"found": done})


def _hand_over(token: str) -> HttpResponse:
    """Answer with the file itself: it is stored nowhere, so it cannot be forgotten anywhere."""
    now = clock.now()
    found = selectors.find_privacy_request(token=token, now=now)
    assert found.contact is not None  # such a link would be gone
    data = insights.collect_personal_data(contact=found.contact)
    services.take_data(token=token, now=now)
    response = HttpResponse(
        pack_personal_data(data, holder=found.workspace.organization.name, now=now), content_type="application/zip"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.zip"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
