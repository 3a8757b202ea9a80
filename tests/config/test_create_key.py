"""``createkey``: a key made by an operator opens its door, for its person, and no other."""

import pytest

from postroom.config.commands.keys import KeyOrder, create_key
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import BadKey, UserNotFound, WorkspaceNotFound
from postroom.core.workspaces.types import Door
from tests.factories import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


def test_the_key_speaks_for_its_person_at_its_door() -> None:
    workspace = make_workspace()
    user = make_user(workspace=workspace)
    secret = create_key(KeyOrder(user.email.upper(), workspace.slug, Door.USESEND, "Shop"))
    assert secret.startswith("us_")
    identity = workspaces.authenticate_key(secret=secret, door=Door.USESEND, now=NOW)
    assert (identity.user, identity.workspace) == (user, workspace)
    with pytest.raises(BadKey):
        workspaces.authenticate_key(secret=secret, door=Door.CRM, now=NOW)


def test_there_is_no_key_for_nobody_or_for_a_stranger() -> None:
    workspace = make_workspace()
    with pytest.raises(UserNotFound):
        create_key(KeyOrder("nobody@example.com", workspace.slug, Door.CRM, "Shop"))
    stranger = make_user(workspace=make_workspace())
    with pytest.raises(WorkspaceNotFound):
        create_key(KeyOrder(stranger.email, workspace.slug, Door.CRM, "Shop"))
