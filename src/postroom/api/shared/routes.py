"""Addresses of a dialect, the unknown ones included."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI

from postroom.api.shared.auth import say_rate
from postroom.api.shared.bodies import see_empty_body

View = Callable[..., HttpResponseBase]


def dialect_urls(api: NinjaAPI, unknown: Callable[[HttpRequest], HttpResponseBase]) -> list[URLPattern]:
    """Return the addresses of ``api``; ``unknown`` answers for every other, and for methods an address lacks."""
    patterns = [pattern for pattern in api.urls[0] if isinstance(pattern, URLPattern) and pattern.name != "api-root"]
    known = [_with_unknown_methods(pattern, unknown) for pattern in patterns]
    return [*known, re_path("", csrf_exempt(_saying_rates(unknown)), name="unknown")]


def _with_unknown_methods(pattern: URLPattern, unknown: Callable[[HttpRequest], HttpResponseBase]) -> URLPattern:
    view: View = pattern.callback

    @wraps(view)
    def answer(request: HttpRequest, **captured: object) -> HttpResponseBase:
        see_empty_body(request)
        response = view(request, **captured)
        response.headers["Cache-Control"] = "no-store"  # answers are one key's own
        response = unknown(request) if response.status_code == 405 else response
        say_rate(request, response)
        return response

    return URLPattern(pattern.pattern, answer, pattern.default_args, pattern.name)


def _saying_rates(view: Callable[[HttpRequest], HttpResponseBase]) -> View:
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        say_rate(request, response)
        return response

    return answer
