"""The open pixel as a Django view that inserts a row by the ORM: what the group commit is measured against.

It has Django to itself: no middleware, one route, a persistent connection for each thread of granian's WSGI server.
"""

import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

settings.DATABASES["default"]["CONN_MAX_AGE"] = None
django.setup()
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []

# Only now, when Django is set up.
from postroom.core.mail.models import StoredHit  # noqa: E402
from postroom.core.mail.rules.bots import shorten_ip  # noqa: E402
from postroom.core.mail.rules.tokens import read_track  # noqa: E402
from postroom.core.mail.types import EventType  # noqa: E402
from postroom.edge.tracking.application import PIXEL  # noqa: E402
from postroom.kit import clock  # noqa: E402


def open_pixel(request: HttpRequest, name: str) -> HttpResponse:
    """Store an open, then answer with the pixel."""
    token = read_track(name)
    if token is None:
        raise Http404
    StoredHit.objects.create(
        key=os.urandom(16).hex(),
        type=EventType.OPENED,
        message_id=token.message_id,
        at=clock.now(),
        agent=request.headers.get("User-Agent", ""),
        ip=shorten_ip(request.META["REMOTE_ADDR"]),
    )
    return HttpResponse(PIXEL, content_type="image/gif", headers={"Cache-Control": "no-store, private, max-age=0"})


urlpatterns = [path("o/<str:name>.gif", open_pixel)]
application = WSGIHandler()
