"""The addresses of a door's documentation. They are open: what a door can do is no secret, and nothing of anybody's is
in it. All links are relative, as a door may live below a prefix or at the root of a host name of its own.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from postroom.api.shared.docs.manuals import Manual
from postroom.api.shared.docs.operations import list_groups, show_json
from postroom.api.shared.docs.writing import UNFILLED
from postroom.core.workspaces.selectors import door_address

_STYLE: Final = Path(__file__).with_name("style.css")


def docs_urls(api: NinjaAPI, manual: Manual) -> list[URLPattern]:
    """Return the page, its style and the OpenAPI document of a door."""

    @require_safe
    def show(request: HttpRequest) -> HttpResponse:
        document = _read(api, manual)
        address = document["servers"][0]["url"]
        context = {
            "manual": manual,
            "address": address,
            "unfilled": UNFILLED,
            "groups": list_groups(document, manual, address),
            "refusals": [(one.status, one.when, show_json(one.body)) for one in manual.refusals],
        }
        return render(request, "api/docs.html", context)

    return [
        path("docs", show, name="docs"),
        path("docs/", lead_to("../docs"), name="docs_slash"),
        path("docs/style.css", _show_style, name="docs_style"),
        path("docs/openapi.json", open_document(api, manual), name="docs_document"),
    ]


def open_document(api: NinjaAPI, manual: Manual) -> Any:
    """Return a view of the door's OpenAPI document."""

    @require_safe
    def show(request: HttpRequest) -> HttpResponse:
        return JsonResponse(_read(api, manual))

    return show


def _read(api: NinjaAPI, manual: Manual) -> dict[str, Any]:
    document: dict[str, Any] = dict(_schema_of(api))
    document["info"] = {**document["info"], "title": manual.title, "description": "\n\n".join(manual.intro)}
    return {**document, "servers": [{"url": door_address(door=manual.door)}]}


@lru_cache(maxsize=8)
def _schema_of(api: NinjaAPI) -> Any:
    """A door does not change while the process lives."""
    return api.get_openapi_schema(path_prefix="")


@require_safe
def _show_style(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse(_STYLE.read_bytes(), content_type="text/css; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def lead_to(place: str) -> Any:
    """Return a view that leads to a place beside it."""

    @require_safe
    def lead(request: HttpRequest) -> HttpResponseBase:
        return HttpResponse(status=302, headers={"Location": place})

    return lead
