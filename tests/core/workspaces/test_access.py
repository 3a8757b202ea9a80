"""Who may enter which workspace, and what they may do there."""

import pytest

from postroom.core.workspaces import selectors
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import (
    AlreadyMember,
    BadSlug,
    BadTimezone,
    BadUser,
    EmailTaken,
    ForeignWorkspace,
    RoleTooLow,
    SlugTaken,
    WeakPassword,
    WorkspaceNotFound,
)
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.rules import combine_roles
from postroom.core.workspaces.types import SYSTEM, Role
from tests.factories import NOW, make_actor, make_organization, make_user, make_workspace

pytestmark = pytest.mark.django_db


def test_a_member_enters_and_a_stranger_finds_nothing() -> None:
    room = make_workspace(slug="newsroom")
    colleague = make_user(workspace=room, role=Role.VIEWER)
    stranger = make_user(workspace=make_workspace())
    assert selectors.get_workspace(user=colleague, slug="newsroom") == room
    with pytest.raises(WorkspaceNotFound) as foreign:
        selectors.get_workspace(user=stranger, slug="newsroom")
    with pytest.raises(WorkspaceNotFound) as unknown:
        selectors.get_workspace(user=stranger, slug="nowhere")
    assert foreign.value.message.replace("newsroom", "nowhere") == unknown.value.message


@pytest.mark.parametrize(
    ("in_organization", "in_workspace", "combined"),
    [
        (Role.ADMIN, None, Role.ADMIN),
        (Role.ADMIN, Role.VIEWER, Role.ADMIN),
        (Role.MEMBER, None, None),
        (Role.MEMBER, Role.VIEWER, Role.MEMBER),
        (Role.VIEWER, Role.MEMBER, Role.MEMBER),
        (None, Role.ADMIN, Role.ADMIN),
        (None, None, None),
    ],
)
def test_a_non_admin_needs_a_membership_and_has_the_higher_role(
    in_organization: Role | None, in_workspace: Role | None, combined: Role | None
) -> None:
    assert combine_roles(in_organization=in_organization, in_workspace=in_workspace) is combined


def test_an_organization_admin_enters_its_rooms_and_no_others() -> None:
    organization = make_organization()
    rooms = [make_workspace(organization=organization, name=name) for name in ("Alpha", "Beta")]
    make_workspace()
    admin = make_user()
    workspaces.add_member(user=admin, organization=organization, role=Role.ADMIN, actor=SYSTEM, now=NOW)
    assert selectors.list_workspaces(user=admin) == rooms
    assert selectors.effective_role(user=admin, workspace=rooms[1]) is Role.ADMIN


def test_an_organization_wide_member_sees_only_rooms_they_joined() -> None:
    organization = make_organization()
    joined, other = make_workspace(organization=organization), make_workspace(organization=organization)
    user = make_user(workspace=joined, role=Role.VIEWER)
    workspaces.add_member(user=user, organization=organization, role=Role.MEMBER, actor=SYSTEM, now=NOW)
    assert selectors.list_workspaces(user=user) == [joined]
    assert selectors.effective_role(user=user, workspace=joined) is Role.MEMBER
    assert selectors.effective_role(user=user, workspace=other) is None


def test_staff_pass_everywhere_and_the_inactive_nowhere() -> None:
    room = make_workspace()
    user = make_user(workspace=room)
    user.is_active = False
    assert selectors.effective_role(user=user, workspace=room) is None
    assert selectors.list_workspaces(user=user) == []
    staff = make_user()
    staff.is_staff = True
    assert selectors.effective_role(user=staff, workspace=room) is Role.ADMIN
    assert room in selectors.list_workspaces(user=staff)


def test_a_role_that_is_too_low_is_refused_by_name() -> None:
    room = make_workspace(name="Newsroom")
    viewer = make_user(workspace=room, role=Role.VIEWER)
    assert selectors.require_role(user=viewer, workspace=room, role=Role.VIEWER) is Role.VIEWER
    with pytest.raises(RoleTooLow, match="member in Newsroom"):
        selectors.require_role(user=viewer, workspace=room, role=Role.MEMBER)


def test_an_address_is_taken_once_and_checked() -> None:
    room = make_workspace(slug="taken")
    with pytest.raises(SlugTaken):
        make_workspace(slug="taken")
    with pytest.raises(BadSlug):
        make_workspace(slug="No Good")
    with pytest.raises(BadTimezone):
        workspaces.create_workspace(
            organization=room.organization, name="x", slug="x", actor=SYSTEM, now=NOW, timezone="Mars/Phobos"
        )
    assert Workspace.objects.count() == 1


def test_people_sign_in_with_one_good_address_and_a_password_of_some_strength() -> None:
    make_user(email="Ada@Example.com")
    with pytest.raises(EmailTaken):
        make_user(email="ada@example.com ")
    with pytest.raises(BadUser):
        make_user(email="not-an-address")
    with pytest.raises(WeakPassword, match=r"too common|too short"):
        make_user(password="password")


def test_membership_stays_inside_the_organization_and_happens_once() -> None:
    room = make_workspace()
    user = make_user(workspace=room)
    with pytest.raises(AlreadyMember):
        workspaces.add_member(
            user=user, organization=room.organization, workspace=room, role=Role.ADMIN, actor=SYSTEM, now=NOW
        )
    with pytest.raises(ForeignWorkspace):
        workspaces.add_member(
            user=user, organization=make_organization(), workspace=room, role=Role.ADMIN, actor=SYSTEM, now=NOW
        )


def test_every_write_is_one_audit_row_with_its_actor() -> None:
    owner = make_user()
    organization = make_organization()
    room = workspaces.create_workspace(
        organization=organization, name="Press", slug="press", actor=make_actor(owner), now=NOW
    )
    entry = AuditEntry.objects.get(act="workspace.created")
    assert (entry.organization, entry.workspace, entry.user, entry.object_id) == (organization, room, owner, room.pk)
    assert entry.after == {"name": "Press", "slug": "press"}
    assert AuditEntry.objects.filter(act="organization.created", object_id=organization.pk).count() == 1
