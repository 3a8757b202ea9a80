"""The quick start: make a key, run a piece of program, see the mail arrive."""

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from postroom.core.mail import selectors as mail
from postroom.core.mail.types import MessageStatus
from postroom.core.workspaces import selectors, services
from postroom.core.workspaces.types import Door, NewKey
from postroom.kit import clock
from postroom.kit.paging import PageRequest
from postroom.web.shared.pages import render_page
from postroom.web.shared.query import whole_number
from postroom.web.shared.rooms import Room, in_room
from postroom.web.shared.snippets import (
    UNFILLED,
    plan_first_mail,
    write_curl,
    write_javascript,
    write_python,
    write_smtp,
)

if TYPE_CHECKING:
    from postroom.core.mail.models import Message
    from postroom.core.workspaces.models import ApiKey

KEY_NAME = "Quick start"
_ON_ITS_WAY = (MessageStatus.QUEUED, MessageStatus.CLAIMED, MessageStatus.WIRE)


@in_room(methods=("GET", "HEAD", "POST"))
def show_start(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the three steps; make a key, whose secret stands in the pieces of program of this one answer."""
    key, secret = _make_key(room) if request.method == "POST" else (None, "")
    first = plan_first_mail(room.workspace, to=room.user.email, secret=secret or UNFILLED)
    context = {
        "made": key,
        "secret": secret,
        "first": first,
        "has_key": key is not None or _has_key(room),
        "snippets": (
            ("curl", "curl", write_curl(first)),
            ("python", "Python", write_python(first)),
            ("javascript", "JavaScript", write_javascript(first)),
            ("smtp", "SMTP", write_smtp(first)),
        ),
        **_arrival(room, key.pk if key else None),
    }
    return render_page(request, room, "web/start/start.html", context)


@in_room()
def show_arrival(request: HttpRequest, room: Room) -> HttpResponse:
    """Show whether the first mail has come: the live part of the page."""
    context = {**_arrival(room, whole_number(request.GET.get("key"))), "is_live": True}
    return render_page(request, room, "web/start/_arrival.html", context)


def _make_key(room: Room) -> tuple["ApiKey", str]:
    new = NewKey(door=Door.USESEND, name=KEY_NAME)
    return services.create_api_key(workspace=room.workspace, user=room.user, new=new, actor=room.actor, now=clock.now())


def _has_key(room: Room) -> bool:
    keys = selectors.list_api_keys(workspace=room.workspace, user=room.user, page=PageRequest(size=1))
    return any(key.revoked_at is None for key in keys.items)


def _arrival(room: Room, key_id: int | None) -> dict[str, object]:
    """Return the latest mail of a program, what became of it, and its copy in the sandbox."""
    message = mail.find_latest_submitted(workspace=room.workspace, api_key_id=key_id)
    copy = mail.find_sandbox_copy(message=message) if message is not None else None
    return {"message": message, "copy": copy, "is_waiting": _is_waiting(message), "key_id": key_id}


def _is_waiting(message: "Message | None") -> bool:
    return message is None or message.status in _ON_ITS_WAY
