"""Unsubscribing: GET shows a page and changes nothing, POST acts before it answers."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from postroom.core.contacts.rules.links import preference_token
from postroom.core.mail import selectors
from postroom.core.mail.rules import tokens
from postroom.core.mail.selectors.mailings import Mailing
from postroom.edge.pages import edge_page
from postroom.edge.tracking.views import show_lost_link
from postroom.edge.unsubscribe.opt_out import OptOut, read_opt_out
from postroom.kit import clock
from postroom.kit.errors import NotFound


@csrf_exempt  # The token in the address is the proof; mail programs bring neither cookies nor a form of ours.
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the reader would leave, or leave it; a POST is answered without redirect or sign-in (RFC 8058)."""
    read = tokens.read_unsubscribe(token)
    if read is None:
        return show_lost_link(request)
    opt_out = read_opt_out(request, token, clock.now())
    try:
        return _ask(request, read.message_id) if opt_out is None else _leave(request, opt_out)
    except NotFound:
        return show_lost_link(request)


def _ask(request: HttpRequest, message_id: int) -> HttpResponse:
    return _page(request, "edge/unsubscribe.html", selectors.find_mailing(message_id=message_id))


def _leave(request: HttpRequest, opt_out: OptOut) -> HttpResponse:
    return _page(request, "edge/unsubscribed.html", opt_out.obey(), is_everything=opt_out.is_everything)


def _page(request: HttpRequest, template: str, mailing: Mailing, **context: object) -> HttpResponse:
    reader = mailing.reader
    preferences = _preferences_url(reader.workspace_id, reader.contact_id) if reader else ""
    context = {"mailing": mailing, "preferences": preferences, **context}
    return edge_page(request, template, context, referrer="no-referrer")


def _preferences_url(workspace_id: int, contact_id: int) -> str:
    """This page is found under the name of any sending domain, the forms behind it under our own alone."""
    page = reverse("edge:preferences", args=[preference_token(workspace_id, contact_id)])
    return f"{settings.PUBLIC_URL}{page}"
