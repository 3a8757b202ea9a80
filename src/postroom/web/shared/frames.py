"""Answers for a frame that shows mail: other people's HTML, which may neither run, nor load, nor leave the frame."""

import re
from typing import Final

from django.http import HttpResponse
from django.utils.html import format_html

# An image of the mail, the tracking pixel above all, must not load: looking at a mail here is not opening it.
POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


_BODY: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_SUBJECT: Final = (
    '<div style="margin:0;padding:12px 16px;border-bottom:1px solid #c8d0da;background:#fff;color:#182433;'
    'font:600 16px/1.4 system-ui,sans-serif;text-align:left;overflow-wrap:anywhere">{}</div>'
)


def under_subject(subject: str, html: str) -> str:
    """Return a mail's HTML with its subject on top, as an inbox shows it."""
    body = _BODY.search(html)
    start = body.end() if body else 0
    return f"{html[:start]}{format_html(_SUBJECT, subject or '(no subject)')}{html[start:]}"


def frame_response(html: str) -> HttpResponse:
    """Return ``html`` under a policy that blocks everything but inline styles and embedded images."""
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
