"""Answers for a frame that shows mail: other people's HTML, which may neither run, nor load, nor leave the frame."""

from typing import Final

from django.http import HttpResponse

# An image of the mail, the tracking pixel above all, must not load: looking at a mail here is not opening it.
POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


def frame_response(html: str) -> HttpResponse:
    """Return ``html`` under a policy that blocks everything but inline styles and embedded images."""
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
