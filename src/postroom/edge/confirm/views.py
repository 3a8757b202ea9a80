"""Confirming a place on a list: GET shows a button and changes nothing, POST confirms."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from postroom.core.contacts import selectors, services
from postroom.core.contacts.rules.links import preference_token, read_confirm_token
from postroom.core.contacts.types import Confirmation, ConfirmLink, Standing
from postroom.edge.pages import edge_page, reader_proof
from postroom.edge.tracking.views import show_lost_link
from postroom.kit import clock
from postroom.kit.errors import NotFound


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, confirm, or say why not: 404 for a link that is none, 410 for one that came too late."""
    link = read_confirm_token(token)
    if link is None:
        return show_lost_link(request)
    try:
        return _answer(request, link)
    except NotFound:
        return show_lost_link(request)


def _answer(request: HttpRequest, link: ConfirmLink) -> HttpResponse:
    now = clock.now()
    if request.method != "POST":
        return _page(request, selectors.describe_confirmation(link=link, now=now))
    if request.POST.get("act") == "renew":
        return _page(request, services.renew_confirmation(link=link, now=now), is_renewed=True)
    return _page(request, services.confirm_membership(link=link, proof=reader_proof(request), now=now))


def _page(request: HttpRequest, found: Confirmation, *, is_renewed: bool = False) -> HttpResponse:
    context: dict[str, object] = {
        "found": found,
        "is_renewed": is_renewed,
        "preferences": preference_token(found.workspace_id, found.contact_id),
    }
    is_late = found.standing is Standing.EXPIRED and not is_renewed
    return edge_page(request, f"edge/confirm_{found.standing.value}.html", context, status=410 if is_late else 200)
