"""The way from the address of the installation to a workspace."""

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from postroom.core.workspaces import selectors as workspaces

if TYPE_CHECKING:
    from postroom.core.workspaces.models import User


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the person's first workspace, or say that there is none."""
    rooms = workspaces.list_workspaces(user=cast("User", request.user))
    if rooms:
        return redirect("web:overview", rooms[0].slug)
    return render(request, "web/accounts/no_workspace.html")
