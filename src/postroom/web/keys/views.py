"""The keys of a workspace: made here, their secret shown this once, looked after and revoked.

A key acts as its maker: members make them for themselves and see their own, administrators see all.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.core.mail import selectors as mail
from postroom.core.workspaces import selectors, services
from postroom.kit import clock
from postroom.web.keys.forms import NewKeyForm
from postroom.web.keys.words import say_door, say_state
from postroom.web.shared.pages import errors_in, page_request, render_page
from postroom.web.shared.rooms import Room, in_room
from postroom.web.shared.snippets import write_call

if TYPE_CHECKING:
    from postroom.core.workspaces.models import ApiKey


@in_room(methods=("GET", "HEAD", "POST"))
def show_keys(request: HttpRequest, room: Room) -> HttpResponse:
    """Show the keys; make one, and show its secret on this page and never again."""
    domains = [domain.name for domain in mail.list_domains(workspace=room.workspace)] if room.can_write else []
    form = NewKeyForm(request.POST or None, domains=domains)
    made: dict[str, object] = {}
    if form.is_valid():
        with errors_in(form):
            made = _make(room, form)
            form = NewKeyForm(None, domains=domains)
    now = clock.now()
    page = selectors.list_api_keys(workspace=room.workspace, user=room.user, page=page_request(request))
    rows = [(key, say_door(key), say_state(key, now)) for key in page.items]
    return render_page(request, room, "web/keys/list.html", {"form": form, "page": page, "rows": rows, **made})


@in_room()
def show_key(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Show one key: what it opens, for whom and until when."""
    key = selectors.get_api_key(workspace=room.workspace, user=room.user, uid=uid)
    context = {
        "key": key,
        "door": say_door(key),
        "state": say_state(key, clock.now()),
        "has_left": _has_left(room, key),
    }
    return render_page(request, room, "web/keys/key.html", context)


@in_room(methods=("POST",))
def revoke(request: HttpRequest, room: Room, uid: UUID) -> HttpResponse:
    """Refuse the key from now on."""
    key = selectors.get_api_key(workspace=room.workspace, user=room.user, uid=uid)
    services.revoke_api_key(workspace=room.workspace, uid=uid, actor=room.actor, now=clock.now())
    messages.success(request, f"The key {key.name} is revoked: whoever shows it is refused.")
    return redirect("web:keys", room.workspace.slug)


def _make(room: Room, form: NewKeyForm) -> dict[str, object]:
    now = clock.now()
    new = form.to_key(now)
    key, secret = services.create_api_key(workspace=room.workspace, user=room.user, new=new, actor=room.actor, now=now)
    call = write_call(room.workspace, door=new.door, secret=secret, to=room.user.email, mail_domain=new.mail_domain)
    return {"made": key, "secret": secret, "call": call}


def _has_left(room: Room, key: "ApiKey") -> bool:
    return selectors.effective_role(user=key.created_by, workspace=room.workspace) is None
