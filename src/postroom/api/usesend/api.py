"""The useSend dialect: its operations, its manners, its addresses under ``/api``."""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from postroom.api.shared.bodies import StrictJson
from postroom.api.shared.docs import docs_urls, lead_to, open_document
from postroom.api.shared.errors import DialectAPI, install
from postroom.api.shared.routes import dialect_urls
from postroom.api.usesend.auth import KEY
from postroom.api.usesend.errors import MANNERS
from postroom.api.usesend.manual import MANUAL
from postroom.api.usesend.operations import analytics, campaigns, contact_books, contacts, domains, emails

api: Final = DialectAPI(
    title="usesend", urls_namespace="usesend", docs_url=None, openapi_url=None, parser=StrictJson(), auth=KEY
)
install(api, MANNERS)
api.add_router("/api/v1", domains.router)
api.add_router("/api/v1", emails.router)
api.add_router("/api/v1", analytics.router)
api.add_router("/api/v1", contact_books.router)
api.add_router("/api/v1", contacts.router)
api.add_router("/api/v1", campaigns.router)


def unknown(request: HttpRequest) -> HttpResponseBase:
    """Answer for an address or a method there is none of, to those with a key."""
    try:
        identity = KEY(request)
    except Exception as error:
        return api.on_exception(request, error)
    if identity is None:
        return api.create_response(request, MANNERS.say(401, MANNERS.no_key, None), status=401)
    return HttpResponse("404 Not Found", status=404, content_type="text/plain")


@require_safe
def answer_health(request: HttpRequest) -> HttpResponse:
    """Say that the door is open, to anybody."""
    return JsonResponse({"data": "Healthy"})


app_name = "usesend"
urlpatterns = [
    *docs_urls(api, MANUAL),
    # Where useSend's server has them.
    path("api/v1/doc", open_document(api, MANUAL), name="doc"),
    path("api/v1/ui", lead_to("../../docs"), name="ui"),
    path("api/health", answer_health, name="health"),
    *dialect_urls(api, unknown),
]
