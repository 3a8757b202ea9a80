"""Segments over people who were written to: a mail history of any size, and what questions about it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.ground import ROOT
from tests.benchmarks.people import make_workspace
from tests.benchmarks.rounds import say

if TYPE_CHECKING:
    from postroom.core.mail.models import Batch
    from postroom.core.workspaces.models import Workspace
    from postroom.kit.types import JSONObject, JSONValue

PLANS: Final = ROOT / "var" / "bench-segments.txt"
CAMPAIGNS: Final = 200
_EVERY: Final = timedelta(days=1)

_MESSAGES: Final = """
INSERT INTO mail_message (
    id, uid, workspace_id, batch_id, sender_id, content_id, contact_id, list_ids, message_class, is_test, from_address,
    "to", cc, bcc, reply_to, headers, slots, message_id_header, idempotency_key, status, priority, owner, attempt,
    tries, is_resent, reply_code, reply_text, provider_id, created_at, sent_at, bounced_at, bounce_code, open_count,
    machine_open_count, click_count, scanner_click_count
)
SELECT nextval('mail_message_id'), gen_random_uuid(), %(workspace)s, %(batch)s, %(sender)s, %(content)s, c.id, '[]',
    'marketing', false, '', jsonb_build_array(c.email), '[]', '[]', '[]', '{}',
    jsonb_build_object('name', c.first_name),
    'm' || c.id || '.' || %(batch)s || '@news.example.com', '', 'sent', 1, '', 1, 1,
    false, 250, '250 2.0.0 Ok: queued', '', %(at)s, %(at)s::timestamptz + interval '1 minute',
    CASE WHEN (hashint8(c.id + %(batch)s) & 127) = 0 THEN %(at)s::timestamptz END, '', 0, 0, 0, 0
FROM contacts_contactworkspace w JOIN contacts_contact c ON c.id = w.contact_id
WHERE w.workspace_id = %(workspace)s AND c.email IS NOT NULL AND c.id %% %(every)s = %(rest)s
"""
# Shares in thousandths of the messages of a campaign, spread over the days after it by a hash of the message's number.
_DEEDS: Final = (
    ("opened", False, 300),
    ("opened", True, 150),
    ("clicked", False, 60),
    ("unsubscribed", False, 3),
    ("complained", False, 1),
)
_EVENTS: Final = """
INSERT INTO mail_deliveryevent (at, key, workspace_id, message_id, contact_id, batch_id, type, agent, ip, is_bot, data)
SELECT m.sent_at + ((hashint8(m.id) & 4095) || ' minutes')::interval, d.type || '.' || d.is_bot || '.' || m.id,
    m.workspace_id, m.id, m.contact_id, m.batch_id, d.type,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', '203.0.113.0', d.is_bot, '{}'
FROM mail_message m
CROSS JOIN unnest(%(types)s::text[], %(bots)s::boolean[], %(shares)s::integer[]) AS d(type, is_bot, share)
WHERE m.batch_id = %(batch)s AND mod(abs(hashint8(m.id + hashtext(d.type || d.is_bot))::bigint), 1000) < d.share
"""


def write_mail(workspace: "Workspace", *, messages: int, campaigns: int = CAMPAIGNS) -> None:
    """Give a workspace the history of ``campaigns`` daily newsletters to a part of its people each."""
    from django.db import connection

    from postroom.core.contacts.models import ContactWorkspace
    from postroom.kit import clock

    people = ContactWorkspace.objects.filter(workspace=workspace).count()
    every = max(1, round(people * campaigns / messages))
    for number in range(campaigns):
        at = clock.now() - _EVERY * (campaigns - number)
        batch = _write_campaign(workspace, number, at)
        params: dict[str, Any] = {"workspace": workspace.pk, "batch": batch.pk, "at": at}
        params |= {"sender": batch.sender_id, "content": batch.content_id}
        types, bots, shares = (list(column) for column in zip(*_DEEDS, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_MESSAGES, {**params, "every": every, "rest": number % every})
            cursor.execute(_EVENTS, {"batch": batch.pk, "types": types, "bots": bots, "shares": shares})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE mail_message")
        cursor.execute("VACUUM ANALYZE mail_deliveryevent")


def _write_campaign(workspace: "Workspace", number: int, at: datetime) -> "Batch":
    """Store a campaign that is over, and the month its events fall into."""
    from postroom.core.campaigns.models import Campaign
    from postroom.core.campaigns.types import CampaignStatus
    from postroom.core.mail import services as mail
    from postroom.core.mail.models import Batch
    from postroom.core.mail.types import BatchStatus, Composition, MessageClass
    from postroom.core.workspaces.types import SYSTEM

    mail.ensure_partitions(now=at)
    sender = mail.ensure_sandbox_sender(workspace=workspace, actor=SYSTEM, now=at)
    content = mail.freeze_content(
        workspace=workspace,
        composition=Composition(subject="News", body="<p>Hello {{ first_name }}</p>"),
        message_class=MessageClass.MARKETING,
        now=at,
    )
    batch = Batch.objects.create(
        workspace=workspace,
        sender=sender,
        content=content,
        message_class=MessageClass.MARKETING,
        status=BatchStatus.DONE,
        created_at=at,
        finished_at=at,
    )
    Campaign.objects.create(
        workspace=workspace,
        name=f"Letter {number}",
        sender=sender,
        batch=batch,
        status=CampaignStatus.SENT,
        created_at=at,
        updated_at=at,
    )
    return batch


@dataclass(frozen=True, slots=True)
class Figure:
    """What one question cost: milliseconds of count and sample, warm, and how many people it found; None: too slow."""

    name: str
    quickest_ms: float
    median_ms: float
    found: int | None


def run(directory: Path, rounds: int, sizes: Sequence[int]) -> None:
    """Ask every question at every size, then one that is too much; plans go to ``var/bench-segments.txt``."""
    PLANS.parent.mkdir(exist_ok=True)
    PLANS.write_text("", encoding="utf-8")
    for rows in sizes:
        workspace = make_people(rows)
        write_mail(workspace, messages=5 * rows)
        say(f"\nSegments over {rows:,} people who got {5 * rows:,} mails: ms of count + sample (quickest, median)")
        for figure in measure_segments(workspace, rounds=rounds):
            found = "too slow, stopped" if figure.found is None else f"{figure.found:,} found"
            say(f"  {figure.name:<34}{figure.quickest_ms:>9,.0f}{figure.median_ms:>9,.0f}   {found}")
    measure_heavy(workspace)


def measure_segments(workspace: "Workspace", *, rounds: int = 5) -> list[Figure]:
    """Return what each question costs when it is asked again; the plan of the first goes to the file of plans."""
    from postroom.core.campaigns.models import Campaign
    from postroom.kit import clock

    newest = Campaign.objects.filter(workspace=workspace).exclude(batch=None).latest("pk")
    questions = _questions(str(newest.uid))
    _explain(workspace, questions[FIVE])
    figures = []
    for name, filter_ in questions.items():
        took, found = [], None
        for _ in range(rounds + 1):
            begun = perf_counter()
            found = _ask(workspace, filter_, clock.now())
            took.append(1000 * (perf_counter() - begun))
        figures.append(Figure(name, min(took[1:]), median(took[1:]), found))
    return figures


def measure_heavy(workspace: "Workspace") -> None:
    """Say how soon a question of 25 conditions in nested groups ends, and what others wait for meanwhile."""
    from postroom.core.contacts import selectors
    from postroom.core.contacts.types import Selection
    from postroom.kit import clock

    waits: dict[bool, list[float]] = {False: [], True: []}
    ended: list[tuple[float, int | None]] = []

    def ask() -> None:
        begun = perf_counter()
        found = _ask(workspace, HEAVY, clock.now())
        ended.append((perf_counter() - begun, found))

    def look(*, is_beside: bool) -> None:
        begun = perf_counter()
        selectors.browse_contacts(workspace=workspace, selection=Selection(), stretch=selectors.Stretch())
        waits[is_beside].append(1000 * (perf_counter() - begun))

    for _ in range(50):
        look(is_beside=False)
    asking = Thread(target=ask)
    asking.start()
    while asking.is_alive():
        look(is_beside=True)
    took, found = ended[0]
    end = "was stopped" if found is None else f"found {found:,}"
    say(f"\nA question of 25 conditions in nested groups {end} after {took:.2f} s (limit 5 s)")
    for is_beside, name in ((False, "before"), (True, "meanwhile")):
        say(f"  the table of contacts {name}: {median(waits[is_beside]):.1f} ms, at most {max(waits[is_beside]):.1f}")


def make_people(count: int) -> "Workspace":
    """Return a workspace with so many people of six custom fields, on five lists, with ten tags, made by SQL."""
    from django.db import connection

    from postroom.core.contacts import services
    from postroom.core.contacts.types import FieldType, NewField
    from postroom.core.workspaces.types import SYSTEM
    from postroom.kit import clock

    workspace = make_workspace(f"Segments{count}")
    for key, type_ in _FIELDS.items():
        new = NewField(label=key, key=key, type=FieldType(type_))
        services.create_field(workspace=workspace, new=new, actor=SYSTEM, now=clock.now())
    params: dict[str, Any] = {"org": workspace.organization_id, "room": workspace.pk, "count": count}
    with connection.cursor() as cursor:
        for statement in _PEOPLE:
            cursor.execute(statement, params)
        cursor.execute("VACUUM ANALYZE")
    return workspace


def _ask(workspace: "Workspace", filter_: "JSONObject", now: datetime) -> int | None:
    from postroom.core.contacts import selectors
    from postroom.core.contacts.errors import SegmentTooSlow

    try:
        return selectors.preview_segment(workspace=workspace, filter=filter_, now=now).count
    except SegmentTooSlow:
        return None


def _explain(workspace: "Workspace", filter_: "JSONObject") -> None:
    from django.db import connection

    from postroom.core.contacts.selectors import segments
    from postroom.kit import clock

    people = segments.people_sql(workspace=workspace, filter_=filter_, now=clock.now())
    with segments.segment_time_limit(limit_ms=60_000), connection.cursor() as cursor, PLANS.open("a") as file:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) SELECT count(*) FROM {people.text}", people.params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        file.write(f"\n== {workspace.name}: {FIVE}\n{plan}\n")


def _all(*conditions: "JSONObject", match: str = "all") -> "JSONObject":
    return {"match": match, "conditions": [*conditions]}


def _is(field: str, operator: str, value: "JSONValue" = None) -> "JSONObject":
    return {"field": field, "operator": operator, "value": value}


def _did(deed: str, days: int = 0, **more: "JSONValue") -> "JSONObject":
    within: JSONObject = {"within": {"amount": days, "unit": "days"}} if days else {}
    return _is(f"mail.{deed}", "did", {**within, **more})


FIVE: Final = "five conditions, opened in 30 days"
_NARROW: Final = (
    _is("age", "gte", 30),
    _is("plan", "eq", "pro"),
    _is("tag", "has", "tag 6"),
    _is("list", "has", "list 3"),
)
_MANY: Final = [
    _all(
        _is("tag", "has", f"tag {number}"),
        _is("list", "not_has", f"list {number}"),
        _did("opened", 30 * (number + 1), times=2),
        _is("city", "contains", f"{number}{number}"),
        _did("sent", 10 * (number + 1)),
        match="any" if number % 2 else "all",
    )
    for number in range(5)
]
HEAVY: Final = _all(*_MANY, match="any")
"""25 conditions in nested groups, of which any may hold."""


def _questions(campaign: str) -> "dict[str, JSONObject]":
    quiet = _is("mail.opened", "did_not", {"within": {"amount": 90, "unit": "days"}})
    return {
        FIVE: _all(*_NARROW, _did("opened", 30)),
        "five, opened one campaign": _all(*_NARROW, _did("opened", campaign=campaign)),
        "five, not opened in 90 days": _all(*_NARROW, quiet),
        "five, any of them": _all(*_NARROW[1:], _is("age", "lt", 20), _did("clicked", 30), match="any"),
        "a tag": _all(_is("tag", "has", "tag 9")),
        "no such tag on them": _all(_is("tag", "not_has", "tag 9")),
        "a number at least": _all(_is("age", "gte", 30)),
        "came in the last 30 days": _all(_is("created_at", "in_last", 30)),
        "opened in 30 days": _all(_did("opened", 30)),
        "not opened in 90 days": _all(quiet),
        "opened twice in 90 days": _all(_did("opened", 90, times=2)),
        "clicked ever": _all(_did("clicked")),
        "was sent mail in 90 days": _all(_did("sent", 90)),
        "bounced ever": _all(_did("bounced")),
        "on the suppression list": _all(_is("person.suppressed", "is_set")),
        "everybody": _all(_is("email", "is_set")),
    }


_FIELDS: Final = {
    "age": "number",
    "vip": "boolean",
    "joined": "date",
    "plan": "select",
    "likes": "multiselect",
    "city": "text",
}
_PEOPLE: Final = (
    """
INSERT INTO contacts_contact (uid, organization_id, email, address_hash, first_name, last_name, company, phone,
    language, timezone, custom, is_globally_opted_out, created_at, updated_at)
SELECT gen_random_uuid(), %(org)s, 'person' || g || '@' || %(org)s || '.example.com',
    decode(md5(%(org)s || '.' || g), 'hex'), 'First' || g %% 1000, 'Last' || g %% 7919, 'Company ' || g %% 5000, '',
    (ARRAY['en', 'de', 'fr'])[1 + g %% 3], 'Europe/Berlin',
    jsonb_build_object('age', 18 + (hashint4(g) & 63), 'vip', g %% 5 = 0, 'joined', date '2020-01-01' + g %% 2000,
        'plan', (ARRAY['free', 'pro', 'team', 'enterprise'])[1 + (hashint4(g + 1) & 3)],
        'likes', ARRAY[(ARRAY['policy', 'events', 'music'])[1 + g %% 3], 'news'], 'city', 'City ' || g %% 500),
    false, now() - (g || ' seconds')::interval, now()
FROM generate_series(1, %(count)s) g
""",
    "INSERT INTO contacts_contactworkspace (contact_id, workspace_id, status, created_at)"
    " SELECT id, %(room)s, 'neutral', now() FROM contacts_contact WHERE organization_id = %(org)s",
    "INSERT INTO contacts_tag (uid, workspace_id, name, colour, created_at)"
    " SELECT gen_random_uuid(), %(room)s, 'tag ' || g, '', now() FROM generate_series(0, 9) g",
    "INSERT INTO contacts_contacttag (contact_id, tag_id) SELECT c.id, t.id FROM contacts_tag t, contacts_contact c"
    " WHERE t.workspace_id = %(room)s AND c.organization_id = %(org)s"
    " AND (hashint8(c.id + 7 * t.id) & 15) <= right(t.name, 1)::int",
    "INSERT INTO contacts_list (uid, workspace_id, name, description, is_public, is_double_opt_in, confirm_subject,"
    " confirm_text, created_at) SELECT gen_random_uuid(), %(room)s, 'list ' || g, '', false, false, '', '', now()"
    " FROM generate_series(0, 4) g",
    "INSERT INTO contacts_listmember (list_id, contact_id, status, reason, properties, source, created_at, updated_at)"
    " SELECT l.id, c.id, CASE WHEN hashint8(c.id) %% 10 = 0 THEN 'unsubscribed' ELSE 'subscribed' END, '', '{}',"
    " 'made', now(), now() FROM contacts_list l, contacts_contact c WHERE l.workspace_id = %(room)s"
    " AND c.organization_id = %(org)s AND (hashint8(c.id + 13 * l.id) & 7) <= right(l.name, 1)::int + 1",
)
