"""Who gets into a workspace's pages: generated from the routes, so that a new page cannot be forgotten."""

from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern

from postroom.core.workspaces import services
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import Role
from postroom.web.urls import in_workspace
from tests.factories import NOW, make_actor, make_user, make_workspace

PATTERNS: list[URLPattern] = in_workspace[0]
SOME_UID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
EXAMPLES = {"<uuid:uid>": str(SOME_UID), "<str:token>": "made-up", "<int:number>": "0"}
# Asking a question by POST changes nothing, so that whoever may look may ask.
QUESTIONS = {"segment_preview", "segment_tree", "campaign_preview", "campaign_audience", "template_preview"}


def address(workspace: Workspace, pattern: URLPattern) -> str:
    route = str(pattern.pattern)
    for converter, example in EXAMPLES.items():
        route = route.replace(converter, example)
    assert "<" not in route, f"give an example for {route}"
    return f"/w/{workspace.slug}/{route}"


every_page = pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)


@every_page
def test_who_is_not_signed_in_is_sent_to_the_door(client: Client, workspace: Workspace, pattern: URLPattern) -> None:
    for response in (client.get(address(workspace, pattern)), client.post(address(workspace, pattern))):
        assert response.status_code == 405 or response["Location"].startswith("/accounts/login/?next=/w/")


@every_page
def test_a_stranger_finds_nothing(as_stranger: Client, workspace: Workspace, pattern: URLPattern) -> None:
    statuses = {as_stranger.get(address(workspace, pattern)).status_code}
    statuses.add(as_stranger.post(address(workspace, pattern)).status_code)
    assert 404 in statuses
    assert statuses <= {404, 405}


@every_page
def test_a_viewer_changes_nothing(as_viewer: Client, workspace: Workspace, pattern: URLPattern) -> None:
    status = as_viewer.post(address(workspace, pattern)).status_code
    assert status in ({200} if pattern.name in QUESTIONS else {403, 405})


@every_page
def test_every_answer_carries_the_strict_policy(as_owner: Client, workspace: Workspace, pattern: URLPattern) -> None:
    policy = as_owner.get(address(workspace, pattern)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'unsafe" not in policy


def test_a_forged_post_is_refused(owner: object, workspace: Workspace, as_owner: Client) -> None:
    client = Client(enforce_csrf_checks=True, headers={"cookie": f"sessionid={as_owner.cookies['sessionid'].value}"})
    response = client.post(f"/w/{workspace.slug}/lists/", {"name": "Forged"})
    assert response.status_code == 403
    assert "Not for you" in response.content.decode()


def test_a_missing_page_answers_in_the_style_of_the_house(as_owner: Client, workspace: Workspace) -> None:
    response = as_owner.get(f"/w/{workspace.slug}/nowhere/")
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_the_menu_names_the_workspaces_of_this_person_only(
    as_owner: Client, workspace: Workspace, stranger: object
) -> None:
    page = as_owner.get(f"/w/{workspace.slug}/contacts/").content.decode()
    assert page.count('<small class="d-block text-secondary">') == 1


def test_a_live_part_of_a_page_notices_that_the_session_has_ended(client: Client, workspace: Workspace) -> None:
    response = client.get(f"/w/{workspace.slug}/campaigns/", headers={"HX-Request": "true"})
    assert response.headers["HX-Refresh"] == "true"
    assert response.content == b""


def test_the_switcher_leads_to_the_other_workspaces_of_the_organization(client: Client, workspace: Workspace) -> None:
    other = make_workspace(organization=workspace.organization, name="Second room")
    head = make_user()
    services.add_member(user=head, organization=workspace.organization, role=Role.ADMIN, actor=make_actor(), now=NOW)
    client.force_login(head)
    page = client.get(f"/w/{workspace.slug}/contacts/").content.decode()
    assert f'href="/w/{other.slug}/"' in page
    assert client.get(f"/w/{other.slug}/").status_code == 200
