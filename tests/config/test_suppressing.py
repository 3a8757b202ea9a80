"""Suppressions from the command line, also for the whole installation."""

import pytest

from postroom.config.commands.suppressing import BadScope, SuppressionOrder, read_scope, suppress, unsuppress
from postroom.core.contacts.errors import SuppressionGuarded
from postroom.core.contacts.models import Suppression
from postroom.core.contacts.types import SuppressionReason, SuppressionScope
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.models import AuditEntry
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


def test_an_address_is_suppressed_for_the_whole_installation_and_lifted_again() -> None:
    room = make_workspace()
    order = SuppressionOrder("Ada@Example.com", room.slug, SuppressionScope.PLATFORM, "court order")
    assert suppress(order, SuppressionReason.BANNED)
    assert not suppress(order, SuppressionReason.BANNED)
    row = Suppression.objects.get()
    assert (row.scope, row.organization, row.workspace, row.email) == ("platform", None, None, "ada@example.com")
    with pytest.raises(SuppressionGuarded):
        unsuppress(order, is_confirmed=False)
    assert unsuppress(order, is_confirmed=True)
    assert not unsuppress(order, is_confirmed=True)
    acts = AuditEntry.objects.filter(object_type="suppression").order_by("pk").values_list("act", "door")
    assert list(acts) == [("contact.suppressed", "command"), ("contact.unsuppressed", "command")]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(BadScope):
        read_scope("planet")
    with pytest.raises(WorkspaceNotFound):
        suppress(SuppressionOrder("a@example.com", "nowhere", SuppressionScope.WORKSPACE), SuppressionReason.MANUAL)
