"""The tallies are right whatever happens to the ledger, and by whichever statement."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from threading import Event

import pytest
from django.db import close_old_connections, connection

from postroom.core.mail.models import BatchPace, Chunk, LinkTally, Message, Pace, Tally
from postroom.core.mail.selectors import count_batch, count_batch_by, sum_by_content, sum_by_destination
from postroom.core.mail.services import apply_hits, cancel_batch, fold_tallies, recount_batch, store_hits
from postroom.core.mail.types import ChunkStatus, Destination, EventType, Hit, MessageStatus
from postroom.core.workspaces.models import Workspace
from tests.factories import NOW, make_workspace
from tests.ledger import make_batch, make_content, make_message

pytestmark = pytest.mark.django_db

_FACTS = ("delivered_at", "bounced_at", "complained_at", "unsubscribed_at", "replied_at", "opened_at", "clicked_at")
_DAILY = """
SELECT date_bin('15 minutes', fact.at, 'epoch'), fact.name, count(*)
FROM mail_message m CROSS JOIN LATERAL (VALUES ('sent', coalesce(m.sent_at, m.bounced_at)),
    ('delivered', CASE WHEN m.bounced_at IS NULL THEN m.delivered_at END), ('opened', m.opened_at),
    ('clicked', m.clicked_at), ('bounced', m.bounced_at), ('complained', m.complained_at)) AS fact(name, at)
WHERE m.workspace_id = %s AND NOT m.is_test AND fact.at IS NOT NULL GROUP BY 1, 2
"""


def count_paces(workspace: Workspace) -> dict[tuple[object, str], int]:
    """The paces of a workspace, added up."""
    found: dict[tuple[object, str], int] = {}
    for row in Pace.objects.filter(workspace=workspace):
        for name in ("sent", "delivered", "opened", "clicked", "bounced", "complained"):
            key = (row.at, name)
            found[key] = found.get(key, 0) + getattr(row, name)
    return {key: number for key, number in found.items() if number}


def count_ledger(workspace: Workspace) -> dict[tuple[object, str], int]:
    """The same from the ledger itself."""
    with connection.cursor() as cursor:
        cursor.execute(_DAILY, [workspace.pk])
        return {(at, name): number for at, name, number in cursor.fetchall()}


_HAPPENED = """
SELECT date_bin('15 minutes', at, 'epoch'), count(*) FILTER (WHERE type = 'opened' AND NOT is_bot),
    count(*) FILTER (WHERE type = 'opened' AND is_bot), count(*) FILTER (WHERE type = 'clicked' AND NOT is_bot),
    count(*) FILTER (WHERE type = 'clicked' AND is_bot)
FROM mail_deliveryevent WHERE batch_id = %s AND type IN ('opened', 'clicked') GROUP BY 1 ORDER BY 1
"""
_PACED = """
SELECT at, sum(opened), sum(machine_opened), sum(clicked), sum(scanner_clicked) FROM mail_batchpace WHERE batch_id = %s
GROUP BY 1 ORDER BY 1
"""
_FOLLOWED = """
SELECT m.content_id, e.link_index, count(*) FILTER (WHERE NOT e.is_bot),
    count(DISTINCT e.message_id) FILTER (WHERE NOT e.is_bot), count(*) FILTER (WHERE e.is_bot)
FROM mail_deliveryevent e JOIN mail_message m ON m.id = e.message_id
WHERE e.batch_id = %s AND e.type = 'clicked' GROUP BY 1, 2 ORDER BY 1, 2
"""
_LINKED = """
SELECT content_id, link_index, sum(clicks), sum(people), sum(scanner_clicks) FROM mail_linktally WHERE batch_id = %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


def ask(question: str, batch_id: int) -> list[tuple[object, ...]]:
    """The rows that answer a question about a batch."""
    with connection.cursor() as cursor:
        cursor.execute(question, [batch_id])
        return list(cursor.fetchall())


@pytest.mark.parametrize("seed", range(6))
def test_a_tally_equals_a_full_count_after_any_history(seed: int) -> None:
    chance = random.Random(seed)
    workspace = make_workspace()
    contents = [make_content(workspace=workspace) for _ in range(2)]
    batch = make_batch(workspace=workspace, content=contents[0], total=60)
    numbers = [
        make_message(
            workspace=workspace,
            batch=batch,
            sender=batch.sender,
            content=chance.choice(contents),
            status=chance.choice([MessageStatus.SENT, MessageStatus.DEFERRED, MessageStatus.IN_DOUBT]),
            destination=chance.choice(["google", "other", ""]),
            is_test=chance.random() < 0.1,
        ).pk
        for _ in range(60)
    ]
    for _ in range(40):
        _change(chance, numbers)
        if chance.random() < 0.2:
            fold_tallies(limit=chance.choice([1, 3, 1000]))
    cancel_batch(workspace=workspace, batch_id=batch.pk, now=NOW)

    assert recount_batch(batch_id=batch.pk) is False
    assert count_paces(workspace) == count_ledger(workspace)
    fold_tallies(limit=1000)
    assert recount_batch(batch_id=batch.pk) is False
    assert count_paces(workspace) == count_ledger(workspace)
    assert ask(_PACED, batch.pk) == ask(_HAPPENED, batch.pk)
    assert ask(_LINKED, batch.pk) == ask(_FOLLOWED, batch.pk) != []
    assert Tally.objects.filter(batch=batch).count() <= 4
    assert (
        sum(group.counts.opened for group in count_batch_by(batch_id=batch.pk)) == count_batch(batch_id=batch.pk).opened
    )


def _change(chance: random.Random, numbers: list[int]) -> None:
    some = Message.objects.filter(pk__in=chance.sample(numbers, 7))
    act = chance.randrange(4)
    if act == 0:
        some.update(status=chance.choice(MessageStatus.values))
    elif act == 1:
        some.update(**{chance.choice(_FACTS): NOW + timedelta(minutes=chance.randrange(90))})
    elif act == 2:
        some.update(sent_at=NOW - timedelta(minutes=chance.randrange(90)), open_count=3)
    else:
        types = [EventType.OPENED, EventType.CLICKED, EventType.BOUNCED, EventType.DELIVERED, EventType.COMPLAINED]
        store_hits(
            hits=[
                Hit(
                    f"{number}-{chance.random()}",
                    type_,
                    number,
                    NOW + timedelta(minutes=chance.randrange(50)),
                    link_index=chance.randrange(2) if type_ is EventType.CLICKED else None,
                    agent=chance.choice(["Mozilla/5.0 (X11; Linux) Firefox/140", "curl/8"]),
                )
                for number in chance.sample(numbers, 5)
                for type_ in chance.choices(types, k=2)
            ]
        )
        apply_hits(now=NOW + timedelta(hours=1))


def test_recipients_without_a_row_are_pending_where_they_will_go() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace, total=150)
    winner = make_content(workspace=workspace)
    for number, (destination, content) in enumerate([("google", None), ("google", winner), ("yahoo", winner)]):
        Chunk.objects.create(batch=batch, number=number, size=50, destination=destination, content=content)
    make_message(workspace=workspace, batch=batch, content=winner, destination="yahoo", opened_at=NOW)

    groups = count_batch_by(batch_id=batch.pk)

    by_destination, by_content = sum_by_destination(groups), sum_by_content(groups)
    assert {name: counts.total for name, counts in by_destination.items()} == {"google": 100, "yahoo": 50}
    assert {key: counts.total for key, counts in by_content.items()} == {batch.content_id: 50, winner.pk: 100}
    assert (by_destination["yahoo"].opened, by_destination["google"].opened) == (1, 0)
    assert by_destination["google"].pending == 100


def test_the_figures_of_a_batch_cost_one_statement(django_assert_num_queries: object) -> None:
    batch = make_batch(workspace=make_workspace(), total=5)
    with django_assert_num_queries(2):  # type: ignore[operator]
        count_batch(batch_id=batch.pk)
        count_batch_by(batch_id=batch.pk)


def test_a_damaged_tally_is_mended_and_one_that_is_right_left_alone() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace, total=2)
    make_message(workspace=workspace, batch=batch)
    Tally.objects.filter(batch=batch).update(handed_over=7)
    Tally.objects.create(batch=batch, destination="nowhere", content=batch.content, opened=3)

    assert recount_batch(batch_id=batch.pk) is True
    assert recount_batch(batch_id=batch.pk) is False
    assert count_batch(batch_id=batch.pk).opened == 0


def test_the_migration_counts_what_was_there_before_it() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace, total=3)
    make_message(workspace=workspace, batch=batch, delivered_at=NOW)
    make_message(workspace=workspace, batch=batch, status=MessageStatus.DEFERRED, sent_at=None)
    make_message(workspace=workspace)
    number = Message.objects.filter(batch=batch).earliest("pk").pk
    store_hits(
        hits=[Hit(f"{at}", EventType.CLICKED, number, NOW, link_index=at % 2, agent="curl/8") for at in range(5)]
    )
    apply_hits(now=NOW + timedelta(hours=1))
    for counts in (Tally, Pace, BatchPace, LinkTally):
        counts.objects.all().delete()

    migration = import_module("postroom.core.mail.migrations.0007_tallies")
    with connection.cursor() as cursor:
        for operation in migration.Migration.operations[1:3]:
            cursor.execute(operation.sql)

    assert recount_batch(batch_id=batch.pk) is False
    assert count_paces(workspace) == count_ledger(workspace)
    assert count_batch(batch_id=batch.pk).delivered == 1
    assert ask(_PACED, batch.pk) == ask(_HAPPENED, batch.pk) != []
    assert ask(_LINKED, batch.pk) == ask(_FOLLOWED, batch.pk) != []


def test_what_was_counted_before_accounts_were_told_apart_still_adds_up() -> None:
    workspace = make_workspace()
    senders = [make_message(workspace=workspace, delivered_at=NOW).sender_id for _ in range(2)]
    Pace.objects.all().delete()
    first = import_module("postroom.core.mail.migrations.0007_tallies")
    then = import_module("postroom.core.mail.migrations.0011_pace")
    with connection.cursor() as cursor:
        cursor.execute(first._pace(first.LEDGER, "true"))  # as it was: nobody's
        cursor.execute("INSERT INTO mail_pace (workspace_id, at, sent) VALUES (%s, %s, 5)", [workspace.pk, NOW])
        before = count_paces(workspace)
        cursor.execute(then.TOLD_APART)

    assert count_paces(workspace) == before
    fold_tallies(limit=100)
    assert count_paces(workspace) == before
    told = {row.sender_id for row in Pace.objects.filter(workspace=workspace, delivered=1)}
    assert told == set(senders)


def test_a_chunk_that_is_done_counts_as_its_size() -> None:
    batch = make_batch(workspace=make_workspace(), total=3)
    Chunk.objects.create(batch=batch, number=0, size=3, status=ChunkStatus.DONE, destination=Destination.APPLE)
    assert [group.counts.total for group in count_batch_by(batch_id=batch.pk)] == [3]


@pytest.mark.django_db(transaction=True)
def test_two_that_fold_while_others_write_lose_and_double_nothing() -> None:
    workspace = make_workspace()
    batch = make_batch(workspace=workspace, total=20)
    numbers = [make_message(workspace=workspace, batch=batch, sender=batch.sender).pk for _ in range(20)]
    is_over = Event()

    def fold() -> int:
        found = 0
        while not is_over.is_set():
            found += fold_tallies(limit=7)
        close_old_connections()
        connection.close()
        return found

    with ThreadPoolExecutor(2) as pool:
        folding = [pool.submit(fold) for _ in range(2)]
        for round_ in range(60):
            Message.objects.filter(pk__in=numbers[round_ % 20 :]).update(
                status=MessageStatus.SENT if round_ % 2 else MessageStatus.IN_DOUBT,
                opened_at=NOW if round_ % 3 else None,
            )
        is_over.set()
        assert sum(one.result(timeout=20) for one in folding) > 0
    while fold_tallies(limit=100):
        pass
    assert recount_batch(batch_id=batch.pk) is False
    assert count_paces(workspace) == count_ledger(workspace)
