"""W11: what providers could not tell us while we were down is found in their own records."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from postroom.core.contacts.models import Suppression
from postroom.core.mail import services as mail
from postroom.core.mail.models import DeliveryEvent, Message, ProviderContact, SenderAccount
from postroom.core.workspaces.models import Workspace
from postroom.providers.esp import EspReports
from tests.factories import NOW, make_workspace
from tests.ledger import make_content, make_message
from tests.stand_ins.accounts import make_provider_sender
from tests.stand_ins.records import Records
from tests.stand_ins.webhooks import event_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def records() -> Iterator[Records]:
    made = Records()
    yield made
    made.stop()


def tick(now: datetime) -> None:
    """Do what the workers do in a minute."""
    reader = EspReports(["127.0.0.1"])
    while mail.fetch_missed(reader=reader, now=now):
        pass
    while mail.apply_hits(now=now + timedelta(seconds=1)):
        pass


def start(workspace: Workspace, provider: str, records: Records) -> SenderAccount:
    sender = make_provider_sender(workspace, provider, api_url=records.url)
    SenderAccount.objects.filter(pk=sender.pk).update(last_used_at=NOW)
    return sender


def letters(workspace: Workspace, sender: SenderAccount, count: int) -> list[Message]:
    content = make_content(workspace=workspace)
    made = []
    for _ in range(count):
        message = make_message(workspace=workspace, sender=sender, content=content)
        Message.objects.filter(pk=message.pk).update(to=[f"p{message.pk}@people.example"])
        made.append(message)
    return made


def test_w11_after_twelve_hours_down_the_ledger_equals_the_providers_records(records: Records) -> None:
    workspace = make_workspace()
    sender = start(workspace, "mailgun", records)
    messages = letters(workspace, sender, 400)  # more than a page
    tick(NOW)  # all is well
    back = NOW + 12 * HOUR
    expected = {}
    for place, message in enumerate(messages):
        at = NOW + 12 * HOUR * (place + 0.5) / len(messages)
        what = {1: "bounced", 2: "complained"}.get(place % 20, "delivered")
        records.events.append(event_of("mailgun", message.pk, what, serial=f"m{place}", at=at.timestamp()))
        expected[message.pk] = (what, at)
    records.events.append(event_of("mailgun", 0, "bounced", serial="not-ours", at=back.timestamp() - 5))

    minutes = 0
    while DeliveryEvent.objects.count() < len(messages) and minutes <= 15:
        tick(back + timedelta(minutes=minutes))
        minutes += 1
    assert minutes <= 15
    for message in Message.objects.filter(pk__in=expected):
        what, at = expected[message.pk]
        found = {"delivered": message.delivered_at, "bounced": message.bounced_at, "complained": message.complained_at}
        assert found.pop(what) == at
        assert set(found.values()) == {None}
    assert Suppression.objects.count() == sum(what != "delivered" for what, _ in expected.values())

    asked = len(records.asked)
    tick(back + timedelta(minutes=9))  # not due
    assert len(records.asked) == asked
    tick(back + timedelta(minutes=25))  # asked again with an overlap: nothing changes
    assert len(records.asked) > asked
    assert DeliveryEvent.objects.count() == len(messages)


def test_records_that_cannot_be_asked_now_are_asked_from_the_same_time_later(records: Records) -> None:
    workspace = make_workspace()
    sender = start(workspace, "mailgun", records)
    (message,) = letters(workspace, sender, 1)
    tick(NOW)
    at = NOW + timedelta(minutes=5)
    records.events.append(event_of("mailgun", message.pk, "bounced", at=at.timestamp()))
    records.is_away = True
    for hour in range(1, 4):
        tick(NOW + hour * HOUR)
    contact = ProviderContact.objects.get(sender=sender)
    assert contact.fetched_until == NOW
    assert "does not show its records: HTTP 503: Not now." in contact.fetch_error
    records.is_away = False
    tick(NOW + 4 * HOUR)
    contact.refresh_from_db()
    message.refresh_from_db()
    assert (message.bounced_at, contact.fetch_error, contact.fetched_until) == (at, "", NOW + 4 * HOUR)


def test_postmarks_bounces_are_matched_with_its_messages(records: Records) -> None:
    workspace = make_workspace()
    sender = start(workspace, "postmark", records)
    bounced, fine = letters(workspace, sender, 2)
    event = event_of("postmark", bounced.pk, "bounced", at=NOW.timestamp())
    records.bounces = [{**event, "MessageID": "pm-1"}, {**event, "ID": 999, "MessageID": "of-another-program"}]
    records.messages = [
        {"MessageID": "pm-0", "Metadata": {"postroom": str(fine.pk)}},
        {"MessageID": "pm-1", "Metadata": {"postroom": str(bounced.pk)}},
        {"MessageID": "of-another-program", "Metadata": {}},
    ]
    tick(NOW + HOUR)
    bounced.refresh_from_db()
    fine.refresh_from_db()
    assert (bounced.bounced_at is not None, fine.bounced_at) == (True, None)
    assert DeliveryEvent.objects.count() == 1


def test_the_key_of_an_account_does_not_follow_to_another_host(records: Records) -> None:
    workspace = make_workspace()
    sender = start(workspace, "mailgun", records)
    (message,) = letters(workspace, sender, 1)
    records.events.append(event_of("mailgun", message.pk, "delivered", at=NOW.timestamp()))
    records.next_host = "http://127.0.0.1:9/"
    tick(NOW + HOUR)
    assert "go on at another host" in ProviderContact.objects.get(sender=sender).fetch_error


def test_each_account_is_asked_by_one_worker_and_only_while_it_is_in_use(records: Records) -> None:
    workspace = make_workspace()
    sender = start(workspace, "mailgun", records)
    reader = EspReports(["127.0.0.1"])
    assert mail.fetch_missed(reader=reader, now=NOW)
    assert not mail.fetch_missed(reader=reader, now=NOW)
    later = NOW + timedelta(days=6)
    assert not mail.fetch_missed(reader=reader, now=later)
    SenderAccount.objects.filter(pk=sender.pk).update(last_used_at=later)
    assert mail.fetch_missed(reader=reader, now=later)
