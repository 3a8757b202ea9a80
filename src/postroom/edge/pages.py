"""What every page for readers of mail has in common: nothing of it is stored, indexed or told to other sites."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from postroom.core.mail.rules.bots import shorten_ip
from postroom.kit.types import JSONObject

MAX_AGENT = 200


def edge_page(
    request: HttpRequest, template: str, context: dict[str, object], *, status: int = 200, referrer: str = "same-origin"
) -> HttpResponse:
    """Return a page that leaves no trace beyond the reader's screen: no other site learns its address.

    Under ``no-referrer`` a browser would send ``Origin: null`` with a form, which is refused as a forgery.
    """
    response = render(request, template, context, status=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = referrer
    return response


def reader_proof(request: HttpRequest) -> JSONObject:
    """Return what shows that a reader said something here: their shortened address and their program."""
    agent = request.headers.get("User-Agent", "")[:MAX_AGENT].replace("\0", "")
    return {"ip": shorten_ip(request.META.get("REMOTE_ADDR", "")), "agent": agent}
