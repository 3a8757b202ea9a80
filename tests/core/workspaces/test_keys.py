"""API keys: shown once, kept as a digest, refused the moment they should be."""

import re
from datetime import timedelta

import pytest

from postroom.core.workspaces import selectors
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import BadKey, DoorWithoutKeys, KeyNotFound, RoleTooLow
from postroom.core.workspaces.models import ApiKey, Membership
from postroom.core.workspaces.types import SYSTEM, Door, NewKey, Role
from postroom.kit.paging import PageRequest
from tests.factories import NOW, make_actor, make_user, make_workspace

pytestmark = pytest.mark.django_db


def make_key(*, door: Door = Door.CRM, lifetime: timedelta | None = None) -> tuple[ApiKey, str]:
    room = make_workspace()
    user = make_user(workspace=room)
    new = NewKey(door, "robot", scopes=("contacts:read",), expires_at=NOW + lifetime if lifetime else None)
    return workspaces.create_api_key(workspace=room, user=user, new=new, actor=make_actor(user), now=NOW)


@pytest.mark.parametrize(
    ("door", "form"),
    [
        (Door.CRM, "pai_[0-9a-f]{64}"),
        (Door.USESEND, "us_[0-9a-z]{10}_[0-9a-f]{32}"),
        (Door.MAILTRIXY, "mb_[0-9a-f]{64}"),
        (Door.BACKOFFICE, "pr_[0-9a-f]{64}"),
        (Door.OUTREACH, "pr_[0-9a-f]{64}"),
    ],
)
def test_a_key_opens_its_own_door_as_its_creator(door: Door, form: str) -> None:
    key, secret = make_key(door=door)
    identity = workspaces.authenticate_key(secret=secret, door=door, now=NOW)
    assert re.fullmatch(form, secret)
    assert (identity.workspace, identity.user, identity.scopes) == (key.workspace, key.created_by, {"contacts:read"})
    assert (identity.actor.api_key_id, identity.actor.user_id) == (key.pk, key.created_by_id)


def test_the_secret_is_kept_nowhere() -> None:
    key, secret = make_key()
    assert secret not in str(ApiKey.objects.filter(pk=key.pk).values().get())
    assert key.prefix == secret[:12]


def test_unknown_foreign_expired_and_revoked_keys_are_refused_alike() -> None:
    key, secret = make_key(lifetime=timedelta(hours=1))
    later = NOW + timedelta(hours=1)
    attempts = [("pai_" + "0" * 64, Door.CRM, NOW), (secret, Door.USESEND, NOW), (secret, Door.CRM, later)]
    messages = set()
    for text, door, now in attempts:
        with pytest.raises(BadKey) as refused:
            workspaces.authenticate_key(secret=text, door=door, now=now)
        messages.add(refused.value.message)
    workspaces.revoke_api_key(workspace=key.workspace, uid=key.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(BadKey) as refused:
        workspaces.authenticate_key(secret=secret, door=Door.CRM, now=NOW)
    assert messages == {refused.value.message}


def test_a_key_dies_with_its_creators_membership() -> None:
    key, secret = make_key()
    Membership.objects.filter(user=key.created_by).delete()
    with pytest.raises(BadKey):
        workspaces.authenticate_key(secret=secret, door=Door.CRM, now=NOW)


def test_use_is_noted_once_a_minute() -> None:
    key, secret = make_key()
    noted = []
    for seconds in (0, 30, 61):
        workspaces.authenticate_key(secret=secret, door=Door.CRM, now=NOW + timedelta(seconds=seconds))
        noted.append(ApiKey.objects.get(pk=key.pk).last_used_at)
    assert noted == [NOW, NOW, NOW + timedelta(seconds=61)]


def test_strangers_get_no_key_and_revoke_none() -> None:
    key, _ = make_key()
    with pytest.raises(RoleTooLow):
        workspaces.create_api_key(
            workspace=key.workspace, user=make_user(), new=NewKey(Door.CRM, "x"), actor=SYSTEM, now=NOW
        )
    with pytest.raises(KeyNotFound):
        workspaces.revoke_api_key(workspace=make_workspace(), uid=key.uid, actor=SYSTEM, now=NOW)
    with pytest.raises(DoorWithoutKeys):
        make_key(door=Door.WEB)


def test_a_key_is_told_by_how_it_begins_and_ends() -> None:
    key, secret = make_key()
    assert (key.prefix, key.ending) == (secret[:12], secret[-4:])


def test_administrators_look_after_all_keys_and_others_after_their_own() -> None:
    key, _ = make_key()
    room, admin = key.workspace, key.created_by
    member = make_user(workspace=room, role=Role.MEMBER)
    own, _ = workspaces.create_api_key(
        workspace=room, user=member, new=NewKey(Door.CRM, "own"), actor=make_actor(member), now=NOW
    )
    page = PageRequest()
    assert list(selectors.list_api_keys(workspace=room, user=admin, page=page).items) == [own, key]
    assert list(selectors.list_api_keys(workspace=room, user=member, page=page).items) == [own]
    assert selectors.get_api_key(workspace=room, user=admin, uid=own.uid) == own
    for user, uid in ((member, key.uid), (make_user(workspace=make_workspace()), key.uid)):
        with pytest.raises(KeyNotFound):
            selectors.get_api_key(workspace=room, user=user, uid=uid)
    workspaces.revoke_api_key(workspace=room, uid=own.uid, actor=SYSTEM, now=NOW)
    listed = selectors.list_api_keys(workspace=room, user=admin, page=page).items
    assert list(listed) == [key, own], "what is revoked comes last"
    assert selectors.find_api_key(workspace=room, key_id=key.pk) == key
    assert selectors.find_api_key(workspace=make_workspace(), key_id=key.pk) is None
