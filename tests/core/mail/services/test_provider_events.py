"""What providers report, read from where it was stored: whatever one event holds, the others are read."""

import json
from datetime import timedelta

import pytest

from postroom.core.mail import services as mail
from postroom.core.mail.models import InboundMessage, Message, ProviderEvent, SenderAccount
from postroom.core.mail.types import Delivery
from postroom.core.workspaces.models import Workspace
from postroom.providers.esp import EspReports
from tests.factories import NOW, make_workspace
from tests.ledger import make_message
from tests.stand_ins.accounts import make_provider_sender
from tests.stand_ins.webhooks import event_of

pytestmark = pytest.mark.django_db


def store(sender: SenderAccount, said: object, *, is_inbound: bool = False) -> None:
    body = json.dumps(said).encode()
    assert mail.store_deliveries(
        deliveries=[Delivery(sender.pk, "application/json", body, NOW, is_inbound=is_inbound)]
    ) == [True]


def read() -> None:
    while mail.read_deliveries(reader=EspReports(), now=NOW):
        pass
    mail.apply_hits(now=NOW + timedelta(seconds=1))


def mailed(workspace: Workspace, sender: SenderAccount, to: list[str]) -> Message:
    return make_message(workspace=workspace, sender=sender, to=to)


def test_an_opt_out_of_somebody_erased_keeps_no_other_event_back() -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "postmark")
    erased, other = mailed(workspace, sender, []), mailed(workspace, sender, ["ann@example.com"])
    left = {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    left |= {"MessageID": "1", "ChangedAt": NOW.isoformat(), "Metadata": {"postroom": str(erased.pk)}}
    store(sender, left)
    store(sender, event_of("postmark", other.pk, "bounced", serial="2"))
    read()
    other.refresh_from_db()
    assert other.bounced_at is not None
    assert not ProviderEvent.objects.filter(processed_at=None).exists()


@pytest.mark.parametrize("recipient", ["a\0b@in.example", f"{'a' * 400}@in.example"])
def test_mail_that_cannot_be_kept_is_parked_and_the_others_are_read(recipient: str) -> None:
    workspace = make_workspace()
    sender = make_provider_sender(workspace, "postmark")
    message = mailed(workspace, sender, ["ann@example.com"])
    for to in (recipient, "b@in.example"):
        store(
            sender, {"OriginalRecipient": to, "From": "x@y.example", "RawEmail": f"To: {to}\r\n\r\n"}, is_inbound=True
        )
    store(sender, event_of("postmark", message.pk, "bounced", serial="2"))
    read()
    message.refresh_from_db()
    assert message.bounced_at is not None
    assert [row.recipient for row in InboundMessage.objects.all()] == ["b@in.example"]
    parked = ProviderEvent.objects.get(parked_at__isnull=False)
    assert parked.error
