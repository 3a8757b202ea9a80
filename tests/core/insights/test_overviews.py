"""The overview counts each thing on its day, in the workspace's own time."""

from datetime import UTC, datetime, timedelta

import pytest

from postroom.core.insights import selectors as insights
from postroom.core.mail.types import MessageStatus
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_message

pytestmark = pytest.mark.django_db


def test_thirty_days_end_today_and_add_up() -> None:
    room = make_workspace()
    yesterday = NOW - timedelta(days=1)
    made = {"created_at": yesterday, "sent_at": yesterday, "delivered_at": yesterday}
    make_message(workspace=room, **made, opened_at=NOW, clicked_at=NOW)
    make_message(workspace=room, **made, bounced_at=NOW)
    make_message(workspace=room, **made, complained_at=NOW)
    make_message(workspace=room, created_at=NOW, status=MessageStatus.FAILED, sent_at=None, bounced_at=NOW)
    overview = insights.workspace_overview(workspace=room, now=NOW + timedelta(hours=1))
    assert len(overview.days) == 30
    today, before = overview.days[-1], overview.days[-2]
    assert (today.on, before.on) == (NOW.date(), yesterday.date())
    assert (before.sent, before.delivered, before.opened) == (3, 2, 0)
    assert (today.sent, today.opened, today.clicked, today.bounced, today.complained) == (1, 1, 1, 2, 1)
    assert (overview.totals.sent, overview.totals.delivered, overview.totals.bounced) == (4, 2, 2)


def test_a_day_is_the_workspaces_own() -> None:
    room = make_workspace()
    Workspace.objects.filter(pk=room.pk).update(timezone="Pacific/Auckland")
    room.refresh_from_db()
    late = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)  # already the 20th there
    make_message(workspace=room, created_at=late, sent_at=late)
    overview = insights.workspace_overview(workspace=room, now=datetime(2026, 11, 19, 13, 0, tzinfo=UTC))
    assert (str(overview.days[-1].on), overview.days[-1].sent) == ("2026-11-20", 1)


def test_tests_and_strangers_mail_are_not_counted() -> None:
    room = make_workspace()
    make_message(workspace=room, is_test=True)
    make_message(workspace=make_workspace())
    make_contact(workspace=room)
    overview = insights.workspace_overview(workspace=room, now=NOW + timedelta(hours=1))
    assert overview.totals.sent == 0
    assert (overview.contact_count, overview.campaign_count) == (1, 0)


def test_what_waits_is_counted_and_what_stands_still_is_not() -> None:
    room = make_workspace()
    waiting = {"sent_at": None, "status": MessageStatus.QUEUED}
    make_message(workspace=room, **waiting, next_attempt_at=NOW)
    make_message(workspace=room, **waiting, next_attempt_at=None)
    overview = insights.workspace_overview(workspace=room, now=NOW)
    assert overview.waiting == 1
    assert overview.has_sender


def test_an_overview_takes_six_statements(django_assert_num_queries: object) -> None:
    room = make_workspace()
    for _ in range(5):
        make_message(workspace=room)
    with django_assert_num_queries(6):  # type: ignore[operator]
        insights.workspace_overview(workspace=room, now=NOW)
