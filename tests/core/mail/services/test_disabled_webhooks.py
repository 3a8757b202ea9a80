"""When a webhook is switched off, those who can mend it get a mail."""

import pytest

from postroom.core.events import services as events
from postroom.core.mail.models import Message
from postroom.core.webhooks.types import TEST_EVENT, EndpointStatus
from postroom.core.workspaces.types import Role
from tests.core.webhooks.making import answer, make_endpoint, tell, turn
from tests.factories import NOW, make_user, make_workspace

pytestmark = pytest.mark.django_db


def test_thirty_calls_given_up_in_a_row_switch_it_off_and_the_administrators_hear_of_it_once() -> None:
    room = make_workspace()
    admin = make_user(workspace=room)
    make_user(workspace=room, role=Role.MEMBER)
    make_user(workspace=make_workspace())
    endpoint = make_endpoint(workspace=room, door="usesend")
    tell(room, 40, type=TEST_EVENT)
    for given_up in range(30):
        endpoint.refresh_from_db()
        assert (endpoint.status, endpoint.failures) == (EndpointStatus.ACTIVE, given_up)
        for _ in range(6):
            endpoint.calls.filter(status="pending", attempts__gt=0).update(next_attempt_at=NOW)
            [delivery] = turn()
            turn(answer(delivery, 500), most=0)
    endpoint.refresh_from_db()
    assert endpoint.status == EndpointStatus.DISABLED
    assert endpoint.calls.filter(status="discarded").count() == 10
    for _ in range(2):
        events.dispatch_events(now=NOW)
    [message] = Message.objects.filter(workspace=room)
    assert message.to == [admin.email]
    assert endpoint.url in str(message.slots)


def test_a_good_answer_between_keeps_it_on() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room, door="usesend")
    tell(room, 40, type=TEST_EVENT)
    for given_up in range(35):
        for attempt in range(6):
            endpoint.calls.filter(status="pending", attempts__gt=0).update(next_attempt_at=NOW)
            [delivery] = turn()
            is_good = given_up == 20 and attempt == 5
            turn(answer(delivery, 200 if is_good else 500), most=0)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failures) == (EndpointStatus.ACTIVE, 14)
