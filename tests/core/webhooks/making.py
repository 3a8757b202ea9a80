"""Makers and short cuts for tests of webhooks."""

from datetime import datetime, timedelta

from postroom.core.webhooks import services
from postroom.core.webhooks.models import Call, Endpoint
from postroom.core.webhooks.types import Answer, Delivery, EndpointTerms, Occasion
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from tests.factories import NOW

OWNER = "deliverer-1"
URL = "https://example.com/hook"


def make_endpoint(
    *,
    workspace: Workspace,
    url: str = URL,
    door: str = "web",
    event_types: tuple[str, ...] = (),
    mail_domains: tuple[str, ...] = (),
    secret: str = "",
    now: datetime = NOW,
) -> Endpoint:
    """Return a webhook of the workspace."""
    terms = EndpointTerms(url=url, event_types=event_types, mail_domains=mail_domains)
    return services.create_endpoint(workspace=workspace, door=door, terms=terms, actor=SYSTEM, now=now, secret=secret)


def tell(workspace: Workspace, count: int = 1, *, type: str = "email.sent", now: datetime = NOW) -> int:
    """Tell the workspace's webhooks of something that happened so many times."""
    occasions = [Occasion(type, {"number": number}, mail_domain="example.com") for number in range(count)]
    return services.tell(workspace_id=workspace.pk, occasions=occasions, now=now)


def turn(*answers: Answer, most: int = 100, now: datetime = NOW, owner: str = OWNER) -> list[Delivery]:
    """Take a turn as a deliverer."""
    return services.take_turn(owner=owner, answers=answers, most=most, now=now)


def answer(delivery: Delivery, code: int = 200, *, now: datetime = NOW, text: str = "fine", error: str = "") -> Answer:
    """Return an answer to a delivery."""
    return Answer(delivery, now, code=code, text=text, error=error, duration_ms=12)


def run_down(call: Call, code: int = 500, *, now: datetime = NOW) -> list[datetime]:
    """Answer a call with ``code`` until it is finished, as time goes by; return when it was made."""
    times: list[datetime] = []
    while True:
        call.refresh_from_db()
        if call.finished_at is not None:
            return times
        assert call.next_attempt_at is not None
        now = max(now, call.next_attempt_at)
        [delivery] = turn(now=now)
        times.append(now)
        assert turn(answer(delivery, code, now=now), most=0, now=now) == []
        now += timedelta(milliseconds=1)
