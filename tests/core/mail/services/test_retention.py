"""Raw mail goes when its time has come, and nothing else goes with it."""

from datetime import datetime, timedelta

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import InboundMessage, SandboxMail
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db


def capture(received_at: datetime) -> int:
    return SandboxMail.objects.create(size=1, raw=b"x", received_at=received_at).pk


def receive(received_at: datetime, *, workspace: Workspace | None = None, is_read: bool = True) -> int:
    read_at = received_at if is_read else None
    fields = {"recipient": "abuse@inbound.localhost", "raw": b"x", "workspace": workspace}
    return InboundMessage.objects.create(received_at=received_at, processed_at=read_at, **fields).pk


def test_old_sandbox_mail_and_old_strays_go_and_the_rest_stays() -> None:
    capture(NOW - timedelta(days=30))
    fresh = capture(NOW - timedelta(days=29))
    receive(NOW - timedelta(days=7))
    kept = {
        receive(NOW - timedelta(days=6)),
        receive(NOW - timedelta(days=700), workspace=make_workspace()),
        receive(NOW - timedelta(days=700), is_read=False),
    }

    assert mail.forget_old_mail(now=NOW) == 2
    assert mail.forget_old_mail(now=NOW) == 0

    assert set(SandboxMail.objects.values_list("pk", flat=True)) == {fresh}
    assert set(InboundMessage.objects.values_list("pk", flat=True)) == kept


def test_no_more_than_the_limit_goes_at_once() -> None:
    for _ in range(3):
        capture(NOW - timedelta(days=40))
    assert mail.forget_old_mail(now=NOW, limit=2) == 2
    assert mail.forget_old_mail(now=NOW, limit=2) == 1
