"""What every Django request passes: a request id bound to its log lines, and a strict Content-Security-Policy."""

from collections.abc import Callable
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse

from postroom.kit.ids import uuid7

Handler = Callable[[HttpRequest], HttpResponse]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)


def request_context(get_response: Handler) -> Handler:
    """Give each request an id, in its log lines and in ``X-Request-Id``."""

    def handle(request: HttpRequest) -> HttpResponse:
        request_id = uuid7().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
        response.headers["X-Request-Id"] = request_id
        return response

    return handle


def content_security_policy(get_response: Handler) -> Handler:
    """Add the policy to every answer that does not bring a stricter one of its own."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return handle
