"""The door of every workspace page: who asks, which workspace, with what role."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, cast
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from postroom.core.workspaces import selectors as workspaces
from postroom.core.workspaces.types import Actor, Door, Role
from postroom.kit.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, RateLimited, Unavailable

if TYPE_CHECKING:
    from postroom.core.workspaces.models import User, Workspace

P = ParamSpec("P")
STATUSES: Final = ((Invalid, 400), (Conflict, 409), (RateLimited, 429), (Unavailable, 503))
"""The families of failures that a page may answer with, and as what."""

RoomView = Callable[Concatenate[HttpRequest, "Room", P], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Room:
    """A workspace as one person may use it."""

    workspace: "Workspace"
    user: "User"
    role: Role

    @property
    def actor(self) -> Actor:
        """The person, acting through the web."""
        return Actor(door=Door.WEB, user_id=self.user.pk)

    @property
    def can_write(self) -> bool:
        """Whether this person may change anything here."""
        return self.role.rank >= Role.MEMBER.rank

    @property
    def can_administer(self) -> bool:
        """Whether this person may change how the workspace sends."""
        return self.role.rank >= Role.ADMIN.rank


def in_room(
    *, methods: tuple[str, ...] = ("GET", "HEAD"), write: Role = Role.MEMBER, read: Role = Role.VIEWER
) -> Callable[[RoomView[P]], Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]]:
    """Let a view answer ``methods`` for people with the role: ``read`` to look, ``write`` to POST.

    Strangers get the same 404 as for a workspace that does not exist; times are shown in the workspace's zone.
    """

    def decorate(view: RoomView[P]) -> Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]:
        @wraps(view)
        def answer(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            try:
                room = _enter(request, slug, write if request.method == "POST" else read)
                with timezone.override(ZoneInfo(room.workspace.timezone)):
                    return view(request, room, *args, **kwargs)
            except NotFound as error:
                raise Http404(error.message) from error
            except NotPermitted as error:
                raise PermissionDenied(error.message) from error
            except (Invalid, Conflict, RateLimited, Unavailable) as error:
                return _refuse(request, slug, error)

        guarded = require_http_methods(list(methods))(never_cache(answer))
        return cast("Callable[Concatenate[HttpRequest, str, P], HttpResponseBase]", guarded)

    return decorate


def is_fragment(request: HttpRequest) -> bool:
    """Whether HTMX asks for a part of the page instead of all of it."""
    return request.headers.get("HX-Request") == "true"


def _refuse(request: HttpRequest, slug: str, error: AppError) -> HttpResponse:
    """Say what an expected failure says where no view had a better place for it; to HTMX as a part of the page."""
    status = next(status for family, status in STATUSES if isinstance(error, family))
    template = "web/shared/_refused.html" if is_fragment(request) else "web/shared/refused.html"
    context = {"error": error, "status": status, "back": f"/w/{slug}/"}
    return render(request, template, context, status=status)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the door; a live part of a page whose session has ended has the whole page loaded again."""
    if is_fragment(request):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def _enter(request: HttpRequest, slug: str, role: Role) -> Room:
    user = cast("User", request.user)
    workspace = workspaces.get_workspace(user=user, slug=slug)
    return Room(workspace, user, workspaces.require_role(user=user, workspace=workspace, role=role))
