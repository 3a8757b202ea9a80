"""The page for links that lead nowhere: a token that was changed, cut off or never ours."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def show_lost_link(request: HttpRequest, token: str = "") -> HttpResponse:
    """Say so, with 404."""
    response = render(request, "edge/lost_link.html", status=404)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
