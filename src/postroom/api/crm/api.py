"""The CRM dialect: its operations, its manners, its addresses under ``/api``."""

from typing import Final

from django.http import HttpRequest, HttpResponseBase

from postroom.api.crm.auth import KEY
from postroom.api.crm.errors import MANNERS
from postroom.api.crm.manual import MANUAL
from postroom.api.crm.operations import contacts
from postroom.api.shared.bodies import StrictJson
from postroom.api.shared.docs import docs_urls
from postroom.api.shared.errors import DialectAPI, install
from postroom.api.shared.routes import dialect_urls

api: Final = DialectAPI(
    title="crm", urls_namespace="crm", docs_url=None, openapi_url=None, parser=StrictJson(), auth=KEY
)
install(api, MANNERS)
api.add_router("/api", contacts.router)


def unknown(request: HttpRequest) -> HttpResponseBase:
    """Answer for an address or a method there is none of."""
    return api.create_response(request, MANNERS.say(404, "Not found.", None), status=404)


app_name = "crm"
urlpatterns = [*docs_urls(api, MANUAL), *dialect_urls(api, unknown)]
