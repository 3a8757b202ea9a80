"""The timeline of somebody with 5,000 messages and 50,000 events: any stretch of it, of any kind, comes at once."""

from time import perf_counter
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts.models import Contact
from postroom.core.insights import selectors as insights
from postroom.core.insights.types import Timeline, TimelineKind
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_contact, make_workspace
from tests.ledger import make_batch, make_content

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MESSAGES: Final = 5_000
EVENTS: Final = 50_000

# The person is one of many in the same tables, so that walking a table is not the cheapest way to them.
_FILL: Final = """
INSERT INTO mail_message (id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, list_ids, message_class,
    is_test, from_address, "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status,
    priority, owner, attempt, tries, is_resent, reply_code, reply_text, provider_id, bounce_code, created_at, sent_at,
    open_count, machine_open_count, click_count, scanner_click_count)
SELECT 5000000 + %(offset)s + n, gen_random_uuid(), %(workspace)s, %(batch)s, %(sender)s, %(content)s, %(contact)s,
    '[]', 'marketing', false, '', '["a@example.com"]', '[]', '[]', '[]', '{}', '{}', '<x>', '', 'sent', 1, '', 1, 1,
    false, 250, '', '', '', %(now)s::timestamptz - n * interval '1 hour', %(now)s::timestamptz - n * interval '1 hour',
    0, 0, 0, 0
FROM generate_series(1, %(messages)s) n
"""
_HAPPEN: Final = """
INSERT INTO mail_deliveryevent (at, key, workspace_id, message_id, contact_id, batch_id, type, link_index, agent, ip,
    is_bot, data)
SELECT %(now)s::timestamptz - (n / 7) * interval '30 minutes', 'k' || %(offset)s || '-' || n, %(workspace)s,
    5000000 + %(offset)s + n %% %(messages)s + 1, %(contact)s, %(batch)s,
    CASE WHEN n %% 5000 = 0 THEN 'bounced' WHEN n %% 3 = 0 THEN 'clicked' ELSE 'opened' END,
    CASE WHEN n %% 3 = 0 THEN 0 END, '', '', false, '{}'
FROM generate_series(1, %(events)s) n
"""
_FACTS: Final = """
INSERT INTO events_domainevent (uid, workspace_id, name, object_type, object_id, contact_id, data, at, dispatched_at,
    attempts, error)
SELECT gen_random_uuid(), %(workspace)s, CASE WHEN n %% 500 = 0 THEN 'contact.updated' ELSE 'mail.something' END,
    'contact', %(contact)s, %(contact)s, '{}', %(now)s::timestamptz - n * interval '10 minutes', now(), 0, ''
FROM generate_series(1, %(events)s) n
"""


@pytest.fixture
def room() -> Workspace:
    return make_workspace()


@pytest.fixture
def reader(room: Workspace) -> Contact:
    """Somebody whom the workspace writes to every hour, beside somebody else of the same kind."""
    content = make_content(workspace=room, urls=["https://example.org/one"])
    batch = make_batch(workspace=room, content=content)
    people = [make_contact(workspace=room) for _ in range(2)]
    with connection.cursor() as cursor:
        for number, person in enumerate(people):
            params = {
                "offset": number * 100_000,
                "workspace": room.pk,
                "batch": batch.pk,
                "sender": batch.sender_id,
                "content": content.pk,
                "contact": person.pk,
                "messages": MESSAGES,
                "events": EVENTS,
                "now": NOW,
            }
            for statement in (_FILL, _HAPPEN, _FACTS):
                cursor.execute(statement, params)
        cursor.execute("ANALYZE mail_message, mail_deliveryevent, events_domainevent")
    return people[0]


def look(room: Workspace, reader: Contact, before: str = "", *kinds: TimelineKind) -> Timeline:
    return insights.contact_timeline(workspace=room, contact_uid=reader.uid, kinds=kinds, before=before)


def best_of_three(room: Workspace, reader: Contact, before: str, *kinds: TimelineKind) -> float:
    """A machine that is busy with something else does not make the timeline slow."""
    times = []
    for _ in range(3):
        start = perf_counter()
        look(room, reader, before, *kinds)
        times.append(perf_counter() - start)
    return min(times)


def test_the_newest_of_a_long_life_is_shown_whatever_is_asked_for(room: Workspace, reader: Contact) -> None:
    deep = f"{int((NOW.timestamp() - 150 * 86_400) * 1_000_000)}.4.k"
    took = {
        (before[:8], str(kinds)): best_of_three(room, reader, before, *kinds)
        for before in ("", deep)
        for kinds in ((), *((kind,) for kind in TimelineKind))
    }
    print(f"the slowest stretch: {max(took.values()) * 1000:.0f} ms")  # noqa: T201 - a figure to read
    assert look(room, reader).entries


def test_a_long_life_is_told_whole_and_once(room: Workspace, reader: Contact) -> None:
    seen: list[tuple[object, ...]] = []
    before, stretches = "", 0
    while True:
        found = insights.contact_timeline(
            workspace=room, contact_uid=reader.uid, kinds=(TimelineKind.MAIL,), before=before, size=200
        )
        seen += [(entry.at, entry.kind, entry.title) for entry in found.entries]
        stretches += 1
        if not found.next:
            break
        before = found.next
    assert len(seen) == MESSAGES + EVENTS // 5_000
    assert stretches == -(-len(seen) // 200)
    assert [at for at, *_ in seen] == sorted((at for at, *_ in seen), reverse=True)  # type: ignore[type-var]


def test_the_statements_walk_indexes_and_no_table(room: Workspace, reader: Contact) -> None:
    with CaptureQueriesContext(connection) as queries:
        look(room, reader)
    large = ("mail_message", "mail_deliveryevent", "events_domainevent")
    asked = [
        one["sql"]
        for one in queries
        if any(f'FROM "{name}"' in one["sql"] or f"FROM {name}" in one["sql"] for name in large)
    ]
    assert len(asked) == 3
    for statement in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        for name in large:
            assert f"Seq Scan on {name}" not in plan, plan
