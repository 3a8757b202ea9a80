"""What a page says when the core refuses a question and the view has no better place for the reason."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from postroom.core.workspaces.models import User, Workspace
from postroom.kit.errors import AppError, Conflict, Invalid, RateLimited, Unavailable
from postroom.web.shared.rooms import Room, in_room

FAMILIES = [(Invalid, 400), (Conflict, 409), (RateLimited, 429), (Unavailable, 503)]


def ask(workspace: Workspace, user: User, error: AppError, **headers: str) -> HttpResponse:
    @in_room()
    def refuse(request: HttpRequest, room: Room) -> HttpResponse:
        raise error

    request = RequestFactory().get(f"/w/{workspace.slug}/anything/", headers=headers)
    request.user = user
    response = refuse(request, workspace.slug)
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize(("family", "status"), FAMILIES)
def test_a_refused_question_is_answered_with_its_reason(
    workspace: Workspace, owner: User, family: type[AppError], status: int
) -> None:
    response = ask(workspace, owner, family("The shelf is <b>taken</b>."))
    assert response.status_code == status
    assert "The shelf is &lt;b&gt;taken&lt;/b&gt;." in response.content.decode()
    assert "<html" in response.content.decode()


def test_a_live_part_of_a_page_shows_the_reason_in_its_place(workspace: Workspace, owner: User) -> None:
    response = ask(workspace, owner, Invalid("No such day."), **{"HX-Request": "true"})
    assert response.status_code == 400
    assert "No such day." in response.content.decode()
    assert "<html" not in response.content.decode()
