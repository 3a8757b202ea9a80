"""Unsubscribing: GET shows a page and changes nothing, POST acts before it answers."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from postroom.core.contacts.rules.links import preference_token
from postroom.core.mail import selectors, services
from postroom.core.mail.rules import tokens
from postroom.core.mail.selectors.mailings import Mailing
from postroom.edge.pages import edge_page, reader_proof
from postroom.edge.tracking.views import show_lost_link
from postroom.kit import clock
from postroom.kit.errors import NotFound


@csrf_exempt  # The token in the address is the proof; mail programs bring neither cookies nor a form of ours.
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the reader would leave, or leave it; a POST is answered without redirect or sign-in (RFC 8058)."""
    read = tokens.read_unsubscribe(token)
    if read is None:
        return show_lost_link(request)
    try:
        return _leave(request, read.message_id) if _is_decided(request) else _ask(request, read.message_id)
    except NotFound:
        return show_lost_link(request)


def _is_decided(request: HttpRequest) -> bool:
    """Mail programs send exactly this pair (RFC 8058, section 3.2), and so do the buttons of the page."""
    return request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click"


def _ask(request: HttpRequest, message_id: int) -> HttpResponse:
    return _page(request, "edge/unsubscribe.html", selectors.find_mailing(message_id=message_id))


def _leave(request: HttpRequest, message_id: int) -> HttpResponse:
    is_everything = request.POST.get("scope") == "everything"
    source = "unsubscribe page" if "scope" in request.POST else "one-click"
    mailing = services.unsubscribe_message(
        message_id=message_id, source=source, now=clock.now(), is_everything=is_everything, proof=reader_proof(request)
    )
    return _page(request, "edge/unsubscribed.html", mailing, is_everything=is_everything)


def _page(request: HttpRequest, template: str, mailing: Mailing, **context: object) -> HttpResponse:
    reader = mailing.reader
    preferences = preference_token(reader.workspace_id, reader.contact_id) if reader else ""
    context = {"mailing": mailing, "preferences": preferences, **context}
    return edge_page(request, template, context, referrer="no-referrer")
