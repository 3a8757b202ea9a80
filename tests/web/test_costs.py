"""List pages ask the database as often for many rows as for one."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import services as contacts
from postroom.core.contacts.models import ImportRun
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.mail import services as mail
from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import User, Workspace
from postroom.core.workspaces.types import Door, NewKey, Role
from tests.factories import NOW, make_actor, make_list, make_user
from tests.ledger import make_message
from tests.web.test_sandbox_and_senders import capture

pytestmark = pytest.mark.django_db
FILTER = {"match": "all", "conditions": [{"field": "company", "operator": "is_set"}]}


def add_list(workspace: Workspace, number: int) -> None:
    make_list(workspace=workspace, members=[])


def add_segment(workspace: Workspace, number: int) -> None:
    contacts.create_segment(workspace=workspace, name=f"S {number}", filter=FILTER, actor=make_actor(), now=NOW)


def add_topic(workspace: Workspace, number: int) -> None:
    contacts.create_category(workspace=workspace, name=f"T {number}", slug=f"t{number}", actor=make_actor(), now=NOW)


def add_suppression(workspace: Workspace, number: int) -> None:
    contacts.suppress_address(
        workspace=workspace,
        email=f"p{number}@example.com",
        scope=SuppressionScope.WORKSPACE,
        reason=SuppressionReason.MANUAL,
        detail="",
        actor=make_actor(),
        now=NOW,
    )


def add_import(workspace: Workspace, number: int) -> None:
    ImportRun.objects.create(workspace=workspace, filename=f"{number}.csv", file_size=1, created_at=NOW)


def add_mail(workspace: Workspace, number: int) -> None:
    capture(workspace)


def add_domain(workspace: Workspace, number: int) -> None:
    mail.create_domain(workspace=workspace, name=f"d{number}.example", actor=make_actor(), now=NOW)


def add_key(workspace: Workspace, number: int) -> None:
    new = NewKey(door=Door.USESEND, name=f"K {number}")
    for user in (make_user(workspace=workspace), User.objects.get(memberships__role=Role.VIEWER)):
        workspaces.create_api_key(workspace=workspace, user=user, new=new, actor=make_actor(user), now=NOW)


def add_message(workspace: Workspace, number: int) -> None:
    make_message(workspace=workspace, api_key_id=number)


@pytest.mark.parametrize(
    ("path", "add", "limit"),
    [
        ("lists/", add_list, 8),
        ("topics/", add_topic, 8),
        ("suppressions/", add_suppression, 9),
        ("segments/", add_segment, 8),
        ("segments/new/", add_list, 12),
        ("imports/", add_import, 9),
        ("sandbox/", add_mail, 9),
        ("domains/", add_domain, 8),
        ("keys/", add_key, 10),
        ("start/", add_message, 13),
        ("start/arrival/", add_message, 9),
        ("messages/", add_message, 18),
    ],
)
def test_a_list_page_costs_the_same_however_much_it_shows(
    as_viewer: Client, workspace: Workspace, path: str, add: Callable[[Workspace, int], None], limit: int
) -> None:
    costs = []
    for numbers in (range(1), range(1, 4)):
        for number in numbers:
            add(workspace, number)
        with CaptureQueriesContext(connection) as queries:
            assert as_viewer.get(f"/w/{workspace.slug}/{path}").status_code == 200
        costs.append(len(queries))
    assert costs[0] == costs[1] <= limit
