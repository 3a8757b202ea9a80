"""What happened is written down for whoever listens, and for nobody else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.webhooks import selectors, services
from postroom.core.webhooks.errors import BadEndpoint
from postroom.core.webhooks.models import Call
from postroom.core.webhooks.selectors import ears
from postroom.core.webhooks.types import EndpointStatus, EndpointTerms, Occasion
from postroom.core.workspaces.types import SYSTEM
from tests.core.webhooks.making import make_endpoint, tell
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db


def test_every_webhook_of_the_workspace_that_wants_it_gets_a_call() -> None:
    room, other = make_workspace(), make_workspace()
    everything = make_endpoint(workspace=room)
    opens = make_endpoint(workspace=room, event_types=("email.opened",))
    make_endpoint(workspace=other)
    assert tell(room) == 1
    assert tell(room, type="email.opened") == 2
    assert set(Call.objects.values_list("endpoint_id", "type")) == {
        (everything.pk, "email.sent"),
        (everything.pk, "email.opened"),
        (opens.pk, "email.opened"),
    }


def test_a_call_has_an_id_that_tells_its_time() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room, 50)
    uids = list(Call.objects.values_list("uid", flat=True))
    assert len(set(uids)) == 50
    assert {uid.version for uid in uids} == {7}
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp()) * 1000")
        (ms,) = cursor.fetchone()
    assert all(abs((uid.int >> 80) - int(ms)) < 5000 for uid in uids)


def test_a_webhook_about_some_domains_hears_of_their_mail_and_of_what_is_no_mail() -> None:
    room = make_workspace()
    make_endpoint(workspace=room, mail_domains=("News.Example.com",))
    told = [
        Occasion("email.sent", {}, mail_domain="news.example.com"),
        Occasion("email.sent", {}, mail_domain="NEWS.example.com"),
        Occasion("email.sent", {}, mail_domain="example.com"),
        Occasion("contact.created", {}, contact_id=5),
    ]
    assert services.tell(workspace_id=room.pk, occasions=told, now=NOW) == 3


def test_where_nobody_listens_nothing_is_asked_and_nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "KNOWN_FOR_S", 60.0)
    room, other = make_workspace(), make_workspace()
    make_endpoint(workspace=other)
    tell(room)
    with CaptureQueriesContext(connection) as queries:
        tell(room, 100)
        services.tell(workspace_id=other.pk, occasions=[], now=NOW)
    assert len(queries) == 0
    assert not Call.objects.exists()


def test_telling_is_one_statement_and_a_word_however_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "KNOWN_FOR_S", 60.0)
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room)
    with CaptureQueriesContext(connection) as queries:
        assert tell(room, 1000) == 1000
    assert len(queries) == 2


def test_a_paused_webhook_hears_nothing_and_what_waited_for_it_is_discarded() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    tell(room)
    services.pause_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    assert tell(room) == 0
    assert Call.objects.get().status == "discarded"
    services.resume_endpoint(workspace=room, uid=endpoint.uid, actor=SYSTEM, now=NOW)
    assert tell(room) == 1
    assert selectors.get_endpoint(workspace=room, uid=endpoint.uid).status == EndpointStatus.ACTIVE


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://example.com/",
        "https://user:word@example.com/",
        "https://example.com:22/",
        "https://example.com/a b",
        "javascript:alert(1)",
        "https://" + "x" * 2000 + ".example.com/",
    ],
)
def test_an_address_that_may_not_be_called_is_refused(url: str) -> None:
    room = make_workspace()
    with pytest.raises(BadEndpoint):
        make_endpoint(workspace=room, url=url)


@pytest.mark.parametrize("secret", ["short", "x" * 15, "x" * 257, "sixteen letters\n", "sechzehn Zeichen ä"])
def test_a_secret_that_cannot_be_used_is_refused(secret: str) -> None:
    room = make_workspace()
    with pytest.raises(BadEndpoint):
        make_endpoint(workspace=room, secret=secret)


def test_an_unknown_event_or_format_is_refused() -> None:
    room = make_workspace()
    with pytest.raises(BadEndpoint):
        make_endpoint(workspace=room, event_types=("email.sent", "email.eaten"))
    with pytest.raises(BadEndpoint):
        make_endpoint(workspace=room, door="edge")


def test_what_a_webhook_hears_can_be_changed() -> None:
    room = make_workspace()
    endpoint = make_endpoint(workspace=room)
    terms = EndpointTerms(url="https://example.com/other", event_types=("email.clicked",), description="Ours")
    services.update_endpoint(workspace=room, uid=endpoint.uid, terms=terms, actor=SYSTEM, now=NOW)
    assert tell(room) == 0
    assert tell(room, type="email.clicked") == 1


def test_calls_are_forgotten_after_thirty_days() -> None:
    room = make_workspace()
    make_endpoint(workspace=room)
    tell(room, 3)
    newest = Call.objects.latest("uid").created_at
    assert services.forget_calls(now=newest) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (made_at,) = cursor.fetchone()
    assert services.forget_calls(now=made_at + timedelta(days=30, minutes=1)) == 3
