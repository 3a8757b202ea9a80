"""The cast of the web tests: an owner, a colleague, a viewer, and a stranger with a workspace of their own."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Role
from tests.factories import make_user, make_workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> User:
    return make_user(workspace=workspace)


@pytest.fixture
def colleague(workspace: Workspace) -> User:
    return make_user(workspace=workspace, role=Role.MEMBER)


@pytest.fixture
def viewer(workspace: Workspace) -> User:
    return make_user(workspace=workspace, role=Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    return make_user(workspace=make_workspace())


@pytest.fixture
def as_owner(owner: User) -> Client:
    return signed_in(owner)


@pytest.fixture
def as_colleague(colleague: User) -> Client:
    return signed_in(colleague)


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    return signed_in(viewer)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    return signed_in(stranger)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> Path:
    """Keep uploads out of the installation's own storage, tests apart, and the hashing of passwords short."""
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path
