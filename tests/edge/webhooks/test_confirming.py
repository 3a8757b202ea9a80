"""Subscriptions are confirmed at Amazon, and nobody else is visited."""

import json

import pytest

from postroom.edge.webhooks.confirming import confirm_subscription
from postroom.edge.webhooks.signatures import Forged


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://example.com/",
        "https://sns.eu-central-1.amazonaws.com.evil.example/",
        "file:///x",
        "",
    ],
)
def test_only_amazons_own_address_is_visited(url: str) -> None:
    with pytest.raises(Forged):
        confirm_subscription(json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode())


def test_a_notification_asks_for_no_visit() -> None:
    confirm_subscription(json.dumps({"Type": "Notification", "SubscribeURL": "http://127.0.0.1/"}).encode())
