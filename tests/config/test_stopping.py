"""The panic stop from a terminal."""

import pytest

from postroom.config.commands import stopping
from postroom.core.mail import services as mail
from postroom.core.mail.models import Stop
from postroom.core.mail.types import Composition, MessageClass, NewMessage
from postroom.core.workspaces.errors import WorkspaceNotFound
from postroom.core.workspaces.models import AuditEntry
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace
from tests.ledger import make_sender

pytestmark = pytest.mark.django_db


def test_one_workspace_or_everything_is_stopped_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace()

    assert stopping.stop_mail(workspace.slug)
    assert stopping.stop_mail("")
    assert set(Stop.objects.values_list("workspace", flat=True)) == {workspace.pk, None}
    stopping.resume_mail("")
    stopping.resume_mail(workspace.slug)
    assert not Stop.objects.exists()
    assert f"nothing leaves the workspace {workspace.slug}" in capsys.readouterr().out
    assert set(AuditEntry.objects.filter(door="command").values_list("act", flat=True)) == {
        "sending.stopped",
        "sending.resumed",
        "installation.stopped",
        "installation.resumed",
    }


def test_it_says_so_while_a_sender_still_holds_mail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stopping, "PATIENCE_S", 0.1)
    workspace = make_workspace()
    new = NewMessage(
        sender_id=make_sender(workspace=workspace).pk,
        message_class=MessageClass.TRANSACTIONAL,
        to=("ann@example.com",),
        composition=Composition("Hello", "<p>Hello</p>"),
    )
    mail.accept_messages(workspace=workspace, messages=[new], actor=SYSTEM, now=NOW)
    assert mail.claim_work(owner="here-1-aa", now=NOW) is not None

    assert not stopping.stop_mail(workspace.slug)
    assert "still holds mail" in capsys.readouterr().out


def test_a_workspace_that_is_not_there_stops_nothing() -> None:
    with pytest.raises(WorkspaceNotFound):
        stopping.stop_mail("nowhere")
    assert not Stop.objects.exists()
