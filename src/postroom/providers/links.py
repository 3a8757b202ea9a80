"""Asks a name that links are to begin with whether it leads to us, with a certificate that holds."""

from typing import Final

from django.conf import settings

from postroom.kit.errors import AppError
from postroom.kit.http import Bounds, Question, ask

WITHIN_S: Final = 10.0
MAX_BODY: Final = 4_096


def find_link_fault(base_url: str) -> str:
    """Return why links that begin with ``base_url`` would not work, as a person says it; empty when they do.

    What answers there must say that it is alive, in the very words of our front door.
    """
    bounds = Bounds(internal=tuple(settings.INTERNAL_HTTP_HOSTS), deadline_s=WITHIN_S, max_body=MAX_BODY)
    try:
        reply = ask(Question("GET", f"{base_url}/health"), bounds)
    except AppError as error:
        return error.message
    if reply.status == 200 and reply.body == b"alive\n":
        return ""
    return f"Something else than Postroom answers there (status {reply.status})."
