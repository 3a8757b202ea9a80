"""Signing in and out."""

import pytest
from django.test import Client

from postroom.core.workspaces.models import User, Workspace
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def sign_in(client: Client, email: str, password: str) -> int:
    return client.post("/accounts/login/", {"login": email, "password": password}).status_code


def test_a_member_signs_in_and_lands_in_their_workspace(client: Client, owner: User, workspace: Workspace) -> None:
    response = client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == f"/w/{workspace.slug}/"
    assert workspace.name in response.content.decode()


def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(client: Client, owner: User) -> None:
    wrong = client.post("/accounts/login/", {"login": owner.email, "password": "not it at all"})
    unknown = client.post("/accounts/login/", {"login": "nobody@example.com", "password": "not it at all"})
    assert wrong.status_code == unknown.status_code == 200
    said = [response.context["form"].errors.as_text() for response in (wrong, unknown)]
    assert said[0] == said[1] != ""


def test_there_is_no_way_to_sign_up(client: Client) -> None:
    assert client.get("/accounts/signup/").status_code == 404
    assert b"sign up" not in client.get("/accounts/login/").content.lower()


def test_signing_out_needs_a_post_and_ends_the_session(client: Client, owner: User, workspace: Workspace) -> None:
    client.force_login(owner)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get(f"/w/{workspace.slug}/contacts/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get(f"/w/{workspace.slug}/contacts/").status_code == 302


def test_nobody_is_led_to_another_site_after_signing_in(client: Client, owner: User) -> None:
    data = {"login": owner.email, "password": PASSWORD, "next": "https://evil.example/"}
    response = client.post("/accounts/login/", data)
    assert response.status_code == 302
    assert "evil.example" not in response["Location"]


def test_a_person_without_a_workspace_is_told_so(client: Client) -> None:
    client.force_login(make_user())
    assert "not a member of any workspace" in client.get("/").content.decode()


def test_a_closed_account_cannot_sign_in(client: Client, owner: User) -> None:
    owner.is_active = False
    owner.save()
    response = client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD}, follow=True)
    assert "This account is closed" in response.content.decode()


def test_the_password_is_never_shown_again(client: Client, owner: User) -> None:
    assert sign_in(client, owner.email, "s3cret-but-wrong") == 200
    response = client.post("/accounts/login/", {"login": owner.email, "password": "s3cret-but-wrong"})
    assert "s3cret-but-wrong" not in response.content.decode()


def test_guessing_passwords_soon_ends(client: Client, owner: User) -> None:
    answers = [client.post("/accounts/login/", {"login": owner.email, "password": f"guess {n}"}) for n in range(31)]
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()
