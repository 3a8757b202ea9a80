"""Random people and random filters, and how such people are stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from postroom.core.campaigns.models import Campaign
from postroom.core.contacts.models import (
    Account,
    AccountContact,
    Category,
    Consent,
    Contact,
    ContactTag,
    ContactWorkspace,
    List,
    ListMember,
    Suppression,
    Tag,
)
from postroom.core.mail import services as mail
from postroom.core.mail.models import Batch, DeliveryEvent, Message
from postroom.core.mail.types import Composition, MessageClass
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from postroom.kit.ids import uuid7
from postroom.kit.types import JSONObject, JSONValue
from tests.core.contacts.people import make_fields
from tests.core.contacts.segment_oracle import Person
from tests.factories import make_workspace

WORDS: Final = (
    *("ada", "Ada%", "a_a", "back\\slash", "policy", "it's", "100%", "%s", "$1", '"quoted"', "x' OR '1'='1", "NaN"),
    *(
        "Ünïcode",
        "日本語",
        "😀 ok",
        "ﬁsh",
        "Straße",
        "ΣΊΣΥΦΟΣ",
        "İstanbul",
        "e\u0301te",
        "  spaced ",
        "null",
        "true",
        "[]",
    ),
    *("1e5", "10", "9", "-5", "2026-01-05", "{}", "\t", "a\nb", "ǅ"),
)
TYPES: Final = {
    "age": "number",
    "vip": "boolean",
    "joined": "date",
    "plan": "select",
    "likes": "multiselect",
    "motto": "text",
}
TAGS: Final = ("lead", "it's", "Ünïcode")
LISTS: Final = ("News", "it's")
ACCOUNTS: Final = ("Acme", "100%")
CATEGORIES: Final = ("offers", "news")
CAMPAIGNS: Final = (UUID(int=1), UUID(int=2))
ZONES: Final = ("UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Pacific/Kiritimati")
NOWS: Final = (
    datetime(2026, 11, 20, 9, tzinfo=UTC),
    datetime(2026, 2, 28, 23, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 15, 30, tzinfo=UTC),
)
_numbers: Final = count(1)

# What a door that does not check types could have stored: none of it may break a segment.
STRAY: Final = st.sampled_from(
    [
        *(
            None,
            "",
            "x",
            5,
            True,
            False,
            [],
            ["policy"],
            {"a": 1},
            {"policy": 2},
            "2026-01-05",
            "99",
            "NaN",
            "Infinity",
        ),
        *(
            10**30,
            -(10**30),
            1.5e-07,
            1e300,
            0,
            [1, 2],
            [None, "it's"],
            [["policy"]],
            "2026-02-31",
            "9999-99-99",
            "9e9",
        ),
    ]
)
TEXT: Final = st.sampled_from(WORDS)


def instants(now: datetime) -> st.SearchStrategy[datetime]:
    """Times around now: of the last hours, days and years, and some to come."""
    hours = st.integers(-72, 72).map(lambda number: now + timedelta(hours=number))
    days = st.integers(-800, 40).map(lambda number: now + timedelta(days=number, minutes=7))
    return hours | days


def days(now: datetime) -> st.SearchStrategy[str]:
    """Days around now."""
    return instants(now).map(lambda at: at.date().isoformat())


def people(now: datetime) -> st.SearchStrategy[Person]:
    """One random person."""
    custom = st.fixed_dictionaries(
        {},
        optional={
            "age": st.integers(-3, 12) | st.sampled_from([2.5, 10.0]) | STRAY,
            "vip": st.booleans() | STRAY,
            "joined": days(now) | STRAY,
            "plan": TEXT | STRAY,
            "motto": TEXT | STRAY,
            "likes": st.lists(st.sampled_from(["policy", "events", "it's", "日本語"]), max_size=3) | STRAY,
        },
    )
    words = ("opened", "clicked", "sent", "replied", "bounced", "complained", "unsubscribed", "machine")
    deed = st.tuples(st.sampled_from(words), st.sampled_from([*map(str, CAMPAIGNS), ""]), instants(now))
    return st.builds(
        Person,
        texts=st.fixed_dictionaries({"email": st.just(""), "last_name": TEXT | st.just(""), "company": TEXT}),
        custom=custom,
        created_at=instants(now),
        tags=st.frozensets(st.sampled_from(TAGS)),
        lists=st.dictionaries(st.sampled_from(LISTS), st.sampled_from(["subscribed", "pending", "unsubscribed"])),
        accounts=st.frozensets(st.sampled_from(ACCOUNTS)),
        consents=st.dictionaries(st.sampled_from(CATEGORIES), st.sampled_from(["granted", "withdrawn"])),
        status=st.sampled_from(["neutral", "subscribed", "unsubscribed"]),
        is_opted_out=st.booleans(),
        suppressions=st.frozensets(st.sampled_from(["manual", "complaint"])),
        deeds=st.lists(deed, max_size=4).map(tuple),
    )


def condition(field: str, operators: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[JSONObject]:
    """One condition on ``field``; operators that take a list get one."""
    many = {"in", "not_in", "has_any", "has_all", "has_none"}

    def fill(operator: str) -> st.SearchStrategy[JSONObject]:
        size = (2, 2) if operator == "between" else (1, 3) if operator in many else None
        operand = st.lists(value, min_size=size[0], max_size=size[1]) if size else value
        return operand.map(lambda one: {"field": field, "operator": operator, "value": one})

    return st.sampled_from(operators.split()).flatmap(fill)


def filters(now: datetime) -> st.SearchStrategy[JSONObject]:
    """A random filter of the whole language, up to four groups deep."""
    number = st.integers(-3, 12) | st.sampled_from([2.5, 10**30, 1.5e-07])
    needle = st.sampled_from([*(word for word in WORDS if word.strip()), "%", "_", "\\", "A", "S", "ß", "ü"])
    name = {"tag": (*TAGS, "LEAD", "none"), "list": (*LISTS, "NEWS", "none"), "account": (*ACCOUNTS, "acme", "none")}
    span = st.fixed_dictionaries(
        {"amount": st.integers(0, 40), "unit": st.sampled_from(["days", "weeks", "months", "years"])}
    )
    deeds = st.fixed_dictionaries(
        {},
        optional={"campaign": st.sampled_from([*map(str, CAMPAIGNS)]), "within": span, "times": st.integers(1, 3)},
    )
    when = "eq neq lt gt lte gte before after between"
    texts = "eq neq contains not_contains starts_with ends_with in not_in is_set is_not_set"
    spans = "in_last not_in_last in_next ago"
    simple = st.one_of(
        condition("last_name", texts, needle),
        condition("company", texts, needle),
        condition("email", texts, st.sampled_from(["P1@example.com", "p", "example.COM", "zzz"])),
        condition("plan", texts, needle),
        condition("motto", texts + " is_empty is_not_empty", needle),
        condition("age", "eq neq gt lt gte lte in between is_set is_not_set", number),
        condition("vip", "eq neq is_set is_not_set", st.booleans()),
        condition("joined", when + " in anniversary_today is_set is_not_set", days(now)),
        condition("joined", spans, span),
        condition("created_at", when + " anniversary_today is_set", days(now)),
        condition("created_at", spans, span),
        condition(
            "likes",
            "has not_has contains not_contains in has_any has_all has_none is_set is_not_set",
            st.sampled_from(["policy", "it's", "日本語"]),
        ),
    )
    tied = st.one_of(
        condition("tag", "has not_has in has_any has_all has_none is_set is_not_set", st.sampled_from(name["tag"])),
        condition(
            "list",
            "has not_has in has_any has_none pending unsubscribed listed not_listed is_set is_not_set",
            st.sampled_from(name["list"]),
        ),
        condition(
            "person.account", "has not_has in has_any has_none is_set is_not_set", st.sampled_from(name["account"])
        ),
        condition("person.consent", "granted withdrawn absent", st.sampled_from([*CATEGORIES])),
        condition("person.status", "eq neq in", st.sampled_from(["neutral", "subscribed", "unsubscribed"])),
        condition("person.opted_out", "eq neq", st.booleans()),
        condition("person.suppressed", "eq in is_set is_not_set", st.sampled_from(["manual", "complaint", "banned"])),
        *(
            condition(f"mail.{deed}", "did did_not", deeds)
            for deed in ("opened", "clicked", "sent", "replied", "bounced", "complained", "unsubscribed")
        ),
    )
    conditions = simple | tied
    match = st.sampled_from(["all", "any"])
    level: st.SearchStrategy[Any] = conditions
    for _ in range(3):
        group = st.fixed_dictionaries({"match": match, "conditions": st.lists(level, min_size=1, max_size=3)})
        level = conditions | conditions | group
    return st.fixed_dictionaries({"match": match, "conditions": st.lists(level, min_size=1, max_size=3)})


@dataclass(frozen=True)
class Crowd:
    """A workspace and the people in it by key."""

    room: Workspace
    people: dict[int, Person]
    campaigns: dict[str, str]


def store(people: Sequence[Person], zone: str, now: datetime) -> Crowd:
    """Store people as no service would: whatever they are."""
    room = make_workspace(now=now)
    room.timezone = zone
    room.save()
    make_fields(room)
    contacts = [_contact(room, number, person) for number, person in enumerate(people)]
    Contact.objects.bulk_create(contacts)
    pairs = list(zip(contacts, people, strict=True))
    ContactWorkspace.objects.bulk_create(
        ContactWorkspace(contact=contact, workspace=room, status=person.status, created_at=now)
        for contact, person in pairs
    )
    _tie(room, pairs, now)
    _suppress(room, pairs, now)
    campaigns = _mail(room, pairs, now)
    return Crowd(room, {contact.pk: _as_stored(person, contact, campaigns) for contact, person in pairs}, campaigns)


def renamed(filter_: JSONValue, campaigns: dict[str, str]) -> JSONValue:
    """Return a filter with the campaigns that were stored in the place of those it was made with."""
    text = json.dumps(filter_)
    for made, stored in campaigns.items():
        text = text.replace(made, stored)
    return json.loads(text)  # type: ignore[no-any-return]


def _as_stored(person: Person, contact: Contact, campaigns: dict[str, str]) -> Person:
    texts = {**person.texts, "email": contact.email or ""}
    deeds = tuple((deed, campaigns.get(campaign, ""), at) for deed, campaign, at in person.deeds)
    return replace(person, texts=texts, deeds=deeds)


def _contact(room: Workspace, number: int, person: Person) -> Contact:
    email = f"p{number}@example.com" if number % 4 or person.suppressions else None
    return Contact(
        organization=room.organization,
        email=email,
        address_hash=crypto.address_hash(email) if email else None,
        first_name="",
        last_name=person.texts["last_name"],
        company=person.texts["company"],
        custom=person.custom,
        is_globally_opted_out=person.is_opted_out,
        created_at=person.created_at,
        updated_at=person.created_at,
    )


def _tie(room: Workspace, pairs: list[tuple[Contact, Person]], now: datetime) -> None:
    tags = Tag.objects.bulk_create(Tag(workspace=room, name=name, created_at=now) for name in TAGS)
    lists = List.objects.bulk_create(List(workspace=room, name=name, created_at=now) for name in LISTS)
    accounts = Account.objects.bulk_create(
        Account(workspace=room, name=name, created_at=now, updated_at=now) for name in ACCOUNTS
    )
    topics = Category.objects.bulk_create(
        Category(workspace=room, slug=slug, name=slug, created_at=now) for slug in CATEGORIES
    )
    ContactTag.objects.bulk_create(
        ContactTag(contact=contact, tag=tag) for contact, person in pairs for tag in tags if tag.name in person.tags
    )
    ListMember.objects.bulk_create(
        ListMember(list=one, contact=contact, status=person.lists[one.name], created_at=now, updated_at=now)
        for contact, person in pairs
        for one in lists
        if one.name in person.lists
    )
    AccountContact.objects.bulk_create(
        AccountContact(account=account, contact=contact, created_at=now)
        for contact, person in pairs
        for account in accounts
        if account.name in person.accounts
    )
    Consent.objects.bulk_create(
        Consent(contact=contact, category=topic, state=person.consents[topic.slug], updated_at=now)
        for contact, person in pairs
        for topic in topics
        if topic.slug in person.consents
    )


def _suppress(room: Workspace, pairs: list[tuple[Contact, Person]], now: datetime) -> None:
    """Of this workspace or its organization; what another workspace suppresses is nobody's business here."""
    stranger = make_workspace(now=now)
    scopes: dict[str, tuple[str, dict[str, Any]]] = {
        "manual": ("workspace", {"organization": room.organization, "workspace": room}),
        "complaint": ("organization", {"organization": room.organization}),
        "banned": ("workspace", {"organization": stranger.organization, "workspace": stranger}),
    }
    Suppression.objects.bulk_create(
        Suppression(
            scope=scopes[reason][0],
            **scopes[reason][1],
            address_hash=contact.address_hash,
            reason=reason,
            created_at=now,
        )
        for contact, person in pairs
        for reason in (*person.suppressions, "banned")
        if contact.address_hash
    )


def _mail(room: Workspace, pairs: list[tuple[Contact, Person]], now: datetime) -> dict[str, str]:
    sender = mail.ensure_sandbox_sender(workspace=room, actor=SYSTEM, now=now)
    content = mail.freeze_content(
        workspace=room,
        composition=Composition(subject="S", body="B"),
        message_class=MessageClass.MARKETING,
        now=now,
    )
    base: dict[str, Any] = {"workspace": room, "sender": sender, "content": content, "created_at": now}
    batches: dict[str, Batch | None] = {"": None}
    campaigns = {}
    for made in map(str, CAMPAIGNS):
        batches[made] = Batch.objects.create(**base, message_class=MessageClass.MARKETING)
        stored = Campaign.objects.create(
            workspace=room, name=made, batch=batches[made], uid=uuid7(), created_at=now, updated_at=now
        )
        campaigns[made] = str(stored.uid)
    for contact, person in pairs:
        for deed, campaign, at in person.deeds:
            _do(base, contact, batches[campaign], deed, at)
    return campaigns


def _do(base: dict[str, Any], contact: Contact, batch: Batch | None, deed: str, at: datetime) -> None:
    number = next(_numbers)
    if deed in {"sent", "bounced"}:
        Message.objects.create(
            **base, id=number, contact=contact, batch=batch, message_id_header=str(number), **{f"{deed}_at": at}
        )
        return
    DeliveryEvent.objects.create(
        key=str(number),
        workspace=base["workspace"],
        message_id=number,
        contact_id=contact.pk,
        batch_id=batch.pk if batch else None,
        type="opened" if deed == "machine" else deed,
        at=at,
        is_bot=deed == "machine",
    )
