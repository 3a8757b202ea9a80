"""Everything about people goes out to a file and comes back in another organization: row for row the same."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postroom.core.contacts import selectors
from postroom.core.contacts import services as contacts
from postroom.core.contacts.errors import BadContact
from postroom.core.contacts.models import (
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
from postroom.core.contacts.rules import clean_text
from postroom.core.contacts.types import (
    AccountDetails,
    ConsentState,
    ExportFormat,
    FieldType,
    ImportMapping,
    MemberStatus,
    NewContact,
    NewField,
    Selection,
    SubscriptionStatus,
    SuppressionReason,
    Upload,
)
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

GENERATED: Final = 2_000
FIELDS: Final = {
    "motto": FieldType.TEXT,
    "age": FieldType.NUMBER,
    "vip": FieldType.BOOLEAN,
    "joined": FieldType.DATE,
    "plan": FieldType.SELECT,
    "likes": FieldType.MULTISELECT,
    "site": FieldType.URL,
    "second_mail": FieldType.EMAIL,
    "all_digits": FieldType.TEXT,
}
NAMES: Final = (
    *("plain", "two words", "a;b", "a,b", 'say "hi"', '5" pipe', "=SUM(A1)", "＝wide", "O'Hara", "'quoted", "a=b"),
    *("ümläut", "日本", "true", "007", "-", "@home", "+49 30", "x" * 60, "end;", '"', "=;=", "emoji 👩‍🚀", "a|b\\c"),
)
HARD: Final = (
    "=1+1", "+1-1", "-1+1", "@cmd", "'=1", "''=1", "'", '"', "\t", "\tx", "line\nline", "a\r\nb", ";", ",", "a;b,c",
    "＝1", " ＝1", "\u200b=1", "\ufeff=1", "007", "5", "5.0", "1e5", "true", "2026-01-02", "null", "NaN", "_x0041_",
    "<b>&amp;</b>", "Zoë", "日本語", "عربى", "👩‍🚀", "a" * 3000, "+49 30 901820", "-5", "'+49", "{{ x }}", "\\n", "%s",
)  # fmt: skip

_TEXT = st.sampled_from(HARD) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_LINE = _TEXT.map(lambda text: text[:20])
_WORDS = st.lists(st.sampled_from(NAMES), max_size=4, unique=True)
_NUMBER = (
    st.integers(-(10**29), 10**29)
    | st.floats(-1e20, 1e20, allow_nan=False)
    | st.sampled_from([0, -5, 1e22, 1.5e-9, 5e-324, 0.1])
)
_SUPPRESSIONS = st.none() | st.tuples(
    st.sampled_from(["workspace", "organization"]),
    st.sampled_from([reason.value for reason in SuppressionReason if reason is not SuppressionReason.ERASED]),
    _TEXT,
)
_PERSON = st.fixed_dictionaries(
    {
        "has_email": st.integers(0, 9).map(bool),
        **{name: _LINE for name in ("first_name", "last_name", "company", "phone", "language", "timezone")},
        "custom": st.fixed_dictionaries(
            {},
            optional={
                "motto": _TEXT,
                "age": _NUMBER,
                "vip": st.booleans(),
                "joined": st.dates().map(str),
                "plan": st.sampled_from(NAMES),
                "likes": _WORDS,
                "site": st.sampled_from(["https://example.com/a;b,c?x='=1\"", "http://münchen.example/=1"]),
                "second_mail": st.sampled_from(["a+b@example.com", "=x@example.com", "üser@example.com"]),
                "all_digits": st.integers(0, 10**20).map(str),
            },
        ),
        "tags": _WORDS,
        "lists": st.dictionaries(st.sampled_from(NAMES), st.sampled_from(MemberStatus.values), max_size=4),
        "consents": st.dictionaries(
            st.sampled_from(["news", "events-2026"]), st.sampled_from(ConsentState.values), max_size=2
        ),
        "status": st.sampled_from(SubscriptionStatus.values),
        "is_out": st.booleans(),
        "suppression": _SUPPRESSIONS,
        "account": st.none() | st.sampled_from(NAMES),
        "age_in_s": st.integers(0, 10**8),
    }
)


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=tmp_path):
        yield


def generate_people(count: int) -> list[dict[str, Any]]:
    """Return the same ``count`` people at every call."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=count, database=None, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck])
    @given(_PERSON)
    def collect(person: dict[str, Any]) -> None:
        found.append(person)

    collect()
    return found


def hard_people() -> list[dict[str, Any]]:
    """Return one person for each hard text, who has it wherever a text can stand."""
    whole = {
        "has_email": True,
        "consents": {"news": "withdrawn"},
        "status": "unsubscribed",
        "is_out": True,
        "suppression": ("workspace", "manual", "=1+1"),
        "account": "a;b",
        "age_in_s": 60,
        "tags": list(NAMES),
        "lists": dict.fromkeys(NAMES, "pending"),
    }
    lines = ("first_name", "last_name", "company", "phone", "language", "timezone")
    return [
        {**whole, **dict.fromkeys(lines, text[:20]), "custom": {"motto": text, "plan": text[:200], "likes": [*NAMES]}}
        for text in HARD
    ]


def fill(workspace: Workspace, people: list[dict[str, Any]]) -> None:
    """Store people with everything that can be said of them."""
    for key, type_ in FIELDS.items():
        contacts.create_field(workspace=workspace, new=NewField(label=key, key=key, type=type_), actor=SYSTEM, now=NOW)
    make_topics(workspace)
    topics = dict(Category.objects.filter(workspace=workspace).values_list("slug", "pk"))
    tags = {name: Tag.objects.create(workspace=workspace, name=name, created_at=NOW).pk for name in NAMES}
    lists = {name: List.objects.create(workspace=workspace, name=name, created_at=NOW).pk for name in NAMES}
    accounts = {
        name: contacts.create_account(workspace=workspace, details=AccountDetails(name), actor=SYSTEM, now=NOW).pk
        for name in NAMES
    }
    for number, person in enumerate(people):
        contact = _store(workspace, number, person)
        if contact is None:
            continue
        pk = contact.pk
        ContactTag.objects.bulk_create(ContactTag(contact_id=pk, tag_id=tags[name]) for name in person["tags"])
        ListMember.objects.bulk_create(
            ListMember(contact_id=pk, list_id=lists[name], status=status, created_at=NOW, updated_at=NOW)
            for name, status in person["lists"].items()
        )
        Consent.objects.bulk_create(
            Consent(contact_id=pk, category_id=topics[slug], state=state, updated_at=NOW)
            for slug, state in person["consents"].items()
        )
        if person["account"]:
            AccountContact.objects.create(contact_id=pk, account_id=accounts[person["account"]], created_at=NOW)
        if person["suppression"] and contact.email:
            _suppress(workspace, contact.email, *person["suppression"])
        ContactWorkspace.objects.filter(contact_id=pk).update(status=person["status"])
        Contact.objects.filter(pk=pk).update(
            is_globally_opted_out=person["is_out"], created_at=NOW - timedelta(seconds=person["age_in_s"])
        )


def _store(workspace: Workspace, number: int, person: dict[str, Any]) -> Contact | None:
    said = {name: person[name] for name in ("first_name", "last_name", "company", "phone", "language", "timezone")}
    new = NewContact(email=f"p{number}@example.com" if person["has_email"] else None, custom=person["custom"], **said)
    try:
        return contacts.create_contact(workspace=workspace, new=new, actor=SYSTEM, now=NOW)
    except BadContact:  # neither address nor name once cleaned
        return None


def _suppress(workspace: Workspace, email: str, scope: str, reason: str, detail: str) -> None:
    Suppression.objects.create(
        scope=scope,
        organization_id=workspace.organization_id,
        workspace=workspace if scope == "workspace" else None,
        address_hash=crypto.address_hash(email),
        email=email,
        reason=reason,
        detail=clean_text(detail[:1000], label="Detail"),
        created_at=NOW,
    )


def make_topics(workspace: Workspace) -> None:
    """Make the topics that people have a word on: an import never invents one."""
    for slug in ("news", "events-2026"):
        contacts.create_category(workspace=workspace, name=slug, slug=slug, actor=SYSTEM, now=NOW)


def portrait(workspace: Workspace) -> list[dict[str, Any]]:
    """Return every person of a workspace with everything about them, read from the tables one by one."""
    people = [_portrait(workspace, link) for link in ContactWorkspace.objects.filter(workspace=workspace)]
    return sorted(people, key=repr)


def _portrait(workspace: Workspace, link: ContactWorkspace) -> dict[str, Any]:
    contact = link.contact
    suppressions = Suppression.objects.filter(
        address_hash=contact.address_hash or b"", organization_id=workspace.organization_id
    )
    return {
        **{name: getattr(contact, name) for name in ("email", "first_name", "last_name", "company", "phone")},
        **{name: getattr(contact, name) for name in ("language", "timezone", "created_at", "is_globally_opted_out")},
        "custom": dict(sorted(contact.custom.items())),
        "status": link.status,
        "tags": sorted(contact.tag_links.values_list("tag__name", flat=True)),
        "lists": sorted(contact.memberships.values_list("list__name", "status")),
        "consents": sorted(contact.consents.values_list("category__slug", "state")),
        "accounts": sorted(contact.account_links.values_list("account__name", flat=True)),
        "suppressions": sorted(suppressions.values_list("scope", "reason", "detail", "email")),
    }


@contextmanager
def exported(workspace: Workspace, format_: ExportFormat) -> Iterator[Upload]:
    """Yield the file of everybody as somebody would upload it."""
    run = contacts.start_export(workspace=workspace, selection=Selection(), format=format_, actor=SYSTEM, now=NOW)
    contacts.run_export(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert run.status == "done", run.error
    with default_storage.open(run.file, "rb") as file:
        upload = Upload(io.BytesIO(file.read()), f"contacts.{format_.value}")
    with selectors.open_sheets(upload=upload) as [sheet]:
        yield Upload(sheet.file, upload.filename)


def bring_in(workspace: Workspace, upload: Upload) -> None:
    """Import a file with the mapping that the application itself proposes."""
    sample = selectors.read_sample(file=upload.file, workspace=workspace)
    assert list(sample.suggested) == list(sample.headers)  # no column is left out
    mapping = ImportMapping(columns=sample.suggested, accepts_unaddressed=True)
    run = contacts.start_import(workspace=workspace, upload=upload, mapping=mapping, actor=SYSTEM, now=NOW)
    contacts.run_import(run_uid=run.uid, clock=lambda: datetime.now(UTC))
    run.refresh_from_db()
    errors = [(error.column, error.reason) for error in run.errors.all()[:5]]
    assert (run.status, run.error_rows, errors) == ("done", 0, [])


def assert_same(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Compare person by person, so that a difference can be read."""
    assert len(after) == len(before)
    differences = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [{key: (old[key], new[key]) for key in old if old[key] != new[key]} for old, new in differences[:3]] == []


@pytest.mark.parametrize("format_", list(ExportFormat))
def test_hard_people_come_back_as_they_were(format_: ExportFormat) -> None:
    source, target = make_workspace(), make_workspace()
    fill(source, hard_people())
    before = portrait(source)
    assert len(before) == len(HARD)
    make_topics(target)
    with exported(source, format_) as upload:
        bring_in(target, upload)
    assert_same(before, portrait(target))


def test_every_no_behind_a_suppression_comes_back() -> None:
    source, target = make_workspace(), make_workspace()
    contacts.create_contact(workspace=source, new=NewContact(email="ada@example.com"), actor=SYSTEM, now=NOW)
    _suppress(source, "ada@example.com", "organization", "hard_bounce", "550")
    _suppress(source, "ada@example.com", "workspace", "complaint", "")
    Suppression.objects.filter(reason="hard_bounce").update(is_opted_out=True)

    def said(workspace: Workspace) -> list[tuple[str, str, bool, str]]:
        rows = Suppression.objects.filter(organization=workspace.organization).order_by("scope")
        return list(rows.values_list("scope", "reason", "is_opted_out", "detail"))

    with exported(source, ExportFormat.CSV) as upload:
        bring_in(target, upload)
    assert said(target) == said(source)
    assert said(target)[0] == ("organization", "hard_bounce", True, "550")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thousands_of_random_people_come_back_as_they_were() -> None:
    source = make_workspace()
    fill(source, [*generate_people(GENERATED), *hard_people()])
    before = portrait(source)
    assert len(before) > 0.9 * GENERATED
    for format_ in ExportFormat:
        target = make_workspace()
        make_topics(target)
        with exported(source, format_) as upload:
            bring_in(target, upload)
        assert_same(before, portrait(target))
        print(f"Round trip {format_.value}: {len(before):,} people, 0 differences")  # noqa: T201 - the figures
