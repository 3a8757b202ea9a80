"""A ledger of a million messages: any page of any search, and the figures of a campaign, come at once."""

import sys
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import Final

import pytest
from django.db import connection

from postroom.core.contacts.models import Contact
from postroom.core.mail.models import Batch, Message
from postroom.core.mail.selectors import count_batch, count_batch_by, count_found, find_transcript, search_messages
from postroom.core.mail.services import fold_tallies
from postroom.core.mail.types import MessageClass, MessageFact, MessageSearch, MessageStatus
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_batch, make_message, make_sender

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.timeout(900)]

MESSAGES: Final = 1_000_000
ROUNDS: Final = 20
FIRST: Final = 10_000_000
AT_MOST_S: Final = 0.3

# Appended as a sender books them: a statement for each thousand. One in a thousand came back.
_FILL: Final = """
INSERT INTO mail_message (id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, list_ids, message_class,
    is_test, from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status,
    priority, owner, attempt, tries, is_resent, reply_code, reply_text, provider_id, bounce_code, created_at, sent_at,
    delivered_at, bounced_at, open_count, machine_open_count, click_count, scanner_click_count, destination)
SELECT n, gen_random_uuid(), b.workspace_id, b.id, b.sender_id, b.content_id, n, '[]', 'marketing', false, '',
    jsonb_build_array('p' || n || '@example.com'), '[]', '[]', '[]', '{}', '{}', '<' || n || '@news.example>', '',
    CASE WHEN n %% 1000 = 0 THEN 'failed' ELSE 'sent' END, 1, '', 1, 1, false, 250, '2.0.0 Ok: queued as 4F2B1C2D3E',
    '', '', now(), now(), CASE WHEN n %% 1000 <> 0 THEN now() END, CASE WHEN n %% 1000 = 0 THEN now() END, 0, 0, 0, 0,
    'google'
FROM generate_series(%(first)s::bigint, %(first)s::bigint + 999) n, mail_batch b WHERE b.id = %(batch)s
"""


@pytest.fixture
def batch() -> Batch:
    """A campaign that a million people got, long after a few other messages of the workspace."""
    workspace = make_workspace()
    ann = make_contact(workspace=workspace, email="ann@example.net", first_name="Annabel")
    desk = make_sender(workspace=workspace)
    for status in (MessageStatus.IN_DOUBT, MessageStatus.SENT):
        make_message(workspace=workspace, sender=desk, contact=ann, to=["ann@example.net"], status=status)
    make_message(workspace=workspace, sender=desk, to=["stranger@example.org"], message_class=MessageClass.REPLY)
    batch = make_batch(workspace=workspace, total=MESSAGES)
    with connection.cursor() as cursor:
        for first in range(FIRST, FIRST + MESSAGES, 1000):
            cursor.execute(_FILL, {"first": first, "batch": batch.pk})
        cursor.execute("ANALYZE mail_message")
    return batch


def pace(act: Callable[[], object]) -> float:
    """Return the 95th percentile of how long it takes."""
    taken = []
    for _ in range(ROUNDS):
        began = perf_counter()
        act()
        taken.append(perf_counter() - began)
    return sorted(taken)[-2]


def test_a_million_messages_are_looked_through_in_no_time(batch: Batch, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, middle = batch.workspace, FIRST + MESSAGES // 2
    desk = Message.objects.get(to=["stranger@example.org"]).sender_id
    searches = {
        "newest": (MessageSearch(), None),
        "in the middle": (MessageSearch(), middle),
        "failed": (MessageSearch(status=MessageStatus.FAILED), None),
        "in doubt, one": (MessageSearch(status=MessageStatus.IN_DOUBT), None),
        "cancelled, none": (MessageSearch(status=MessageStatus.CANCELLED), None),
        "sent by the quiet sender": (MessageSearch(status=MessageStatus.SENT, sender_id=desk), None),
        "of a rare kind": (MessageSearch(message_class=MessageClass.REPLY), middle),
        "came back": (MessageSearch(fact=MessageFact.BOUNCED), None),
        "of a key, none": (MessageSearch(api_key_id=1), None),
        "of a domain, none": (MessageSearch(domain_id=1), None),
        "of a subject, none": (MessageSearch(subject="nothing like it"), None),
        "of a day": (MessageSearch(since=NOW - timedelta(days=1), until=NOW + timedelta(days=1)), None),
        "to a person": (MessageSearch(who="ann@ex"), None),
        "to a stranger": (MessageSearch(who="stranger"), None),
        "to nobody": (MessageSearch(who="zzz"), None),
        "to many, failed": (MessageSearch(who="a", status=MessageStatus.FAILED), None),
    }
    figures = {
        name: pace(
            lambda search=search, before=before: search_messages(  # type: ignore[misc]
                workspace=workspace, search=search, before=before
            )
        )
        for name, (search, before) in searches.items()
    }
    counts = {"count all": MessageSearch(), "count a state": MessageSearch(status=MessageStatus.FAILED)}
    counts |= {"count those that came back": MessageSearch(fact=MessageFact.BOUNCED)}
    figures |= {
        name: pace(lambda search=search: count_found(workspace=workspace, search=search))  # type: ignore[misc]
        for name, search in counts.items()
    }
    loose = pace(lambda: count_batch(batch_id=batch.pk))
    while fold_tallies(limit=1000):
        pass
    figures |= {
        "figures of the campaign, unfolded": loose,
        "figures of the campaign": pace(lambda: count_batch(batch_id=batch.pk)),
        "by destination": pace(lambda: count_batch_by(batch_id=batch.pk)),
        "what was said": pace(
            lambda: find_transcript(workspace=workspace, message_uid=Message.objects.get(pk=middle).uid)
        ),
    }
    lines = [f"  {name:34} {seconds * 1000:7.1f} ms p95" for name, seconds in figures.items()]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))
    assert count_batch(batch_id=batch.pk).delivered == MESSAGES - MESSAGES // 1000
    assert {name: seconds for name, seconds in figures.items() if seconds > AT_MOST_S} == {}
    found = search_messages(workspace=workspace, search=MessageSearch(who="annab"))
    assert len(found.items) == 2
    assert Contact.objects.count() == 1
