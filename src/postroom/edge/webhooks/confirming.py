"""What Amazon SNS wants of us: that its certificate is fetched, and that a subscription is confirmed."""

import json
from collections.abc import Collection

import structlog

from postroom.edge.webhooks.signatures import check_sns_url
from postroom.kit.errors import Unavailable
from postroom.kit.http import Bounds, Question, ask

log = structlog.get_logger(__name__)


def fetch_certificate(url: str) -> bytes:
    """Return a certificate from an address that was checked to be Amazon's. Raises Unavailable."""
    reply = ask(Question("GET", url), Bounds(deadline_s=10.0, max_body=64 * 1024))
    if reply.status != 200:
        raise Unavailable("Amazon's certificate cannot be fetched.")
    return reply.body


def confirm_subscription(body: bytes, internal: Collection[str] = ()) -> None:
    """Visit the address that confirms a subscription, if the verified ``body`` asks for one. Raises Unavailable."""
    said = json.loads(body)
    if said["Type"] != "SubscriptionConfirmation":
        return
    url = str(said["SubscribeURL"])
    check_sns_url(url)
    reply = ask(Question("GET", url), Bounds(internal=tuple(internal), deadline_s=10.0))
    if reply.status != 200:
        raise Unavailable("Amazon did not take the confirmation.")
    log.info("sns_subscription_confirmed")
