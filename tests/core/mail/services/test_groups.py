"""Groups of requests: what goes wrong with one, also at the very end, is that one's alone, and nothing comes twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError, connection

from postroom.core.mail import services as mail
from postroom.core.mail.errors import NotStored
from postroom.core.mail.models import Acceptance, Message
from postroom.core.mail.services import groups
from postroom.core.mail.services.submit import submit_requests
from postroom.core.mail.types import Submission, SubmitRequest
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = 10**9


def make_requests(count: int) -> list[SubmitRequest]:
    workspace = make_workspace()
    letters = [
        Submission(from_address="shop@acme.example", to=("ann@example.com",), subject=f"No. {number}", text="Hi")
        for number in range(count)
    ]
    return [SubmitRequest(workspace.pk, SYSTEM, [letter]) for letter in letters]


def test_what_the_database_refuses_at_the_commit_touches_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a row names may be deleted while it is written; the database sees it at the end (deferred keys)."""
    requests = make_requests(5)

    def submit(*, requests: Sequence[SubmitRequest], now: datetime) -> Any:
        if any(one.submissions[0].subject == "No. 3" for one in requests):
            row = Acceptance(workspace_id=NOBODY, key=b"k", digest=b"d", message_uids=[], created_at=now)
            row.save(force_insert=True)
        return submit_requests(requests=requests, now=now)

    monkeypatch.setattr(groups, "submit_requests", submit)
    outcomes = mail.submit_group(requests=requests, now=NOW)
    assert [isinstance(one, Exception) for one in outcomes] == [number == 3 for number in range(5)]
    assert Message.objects.count() == 4


def test_what_may_have_been_stored_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = make_requests(3)
    commit = connection.commit

    def lose_the_answer() -> None:
        commit()
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connection, "_commit", lose_the_answer)
    outcomes = mail.submit_group(requests=requests, now=NOW)
    monkeypatch.undo()
    assert all(isinstance(one, NotStored) for one in outcomes)
    assert Message.objects.count() == 3
