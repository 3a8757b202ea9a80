"""Suppressions: written one by one, many at once or from a file; never weakened, and lifted only knowingly."""

import io
import time
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import (
    BadImport,
    NoSuchImport,
    NoSuchSuppression,
    SuppressionFinal,
    SuppressionGuarded,
)
from postroom.core.contacts.models import Suppression, SuppressionRun
from postroom.core.contacts.services.suppression import RANK
from postroom.core.contacts.types import Lift, NewSuppression, RunStatus, SuppressionReason, SuppressionScope, Upload
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import crypto
from postroom.kit.paging import PageRequest
from tests.core.contacts.people import make_contact
from tests.factories import NOW, make_workspace

pytestmark = pytest.mark.django_db

HERE, EVERYWHERE, PLATFORM = SuppressionScope.WORKSPACE, SuppressionScope.ORGANIZATION, SuppressionScope.PLATFORM
PAGE = PageRequest(number=1, size=50, with_total=True)


def suppress(
    room: Workspace,
    reason: SuppressionReason = SuppressionReason.MANUAL,
    email: str = "ada@example.com",
    scope: SuppressionScope = HERE,
) -> bool:
    return services.suppress_address(
        workspace=room, email=email, scope=scope, reason=reason, detail="why", actor=SYSTEM, now=NOW
    )


def lift(room: Workspace, *, is_confirmed: bool = False, scope: SuppressionScope = HERE) -> bool:
    return services.unsuppress_address(
        workspace=room,
        email="ADA@example.com",
        scope=scope,
        lift=Lift(note="asked by phone", is_confirmed=is_confirmed),
        actor=SYSTEM,
        now=NOW,
    )


def read_in(
    room: Workspace,
    text: str | bytes,
    scope: SuppressionScope = HERE,
    reason: SuppressionReason = SuppressionReason.MANUAL,
) -> SuppressionRun:
    raw = text.encode() if isinstance(text, str) else text
    run = services.start_suppression_file(
        workspace=room, upload=Upload(io.BytesIO(raw), "../list.csv"), scope=scope, reason=reason, actor=SYSTEM, now=NOW
    )
    services.run_suppression_file(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    return run


def stored(room: Workspace) -> dict[str, tuple[str, str]]:
    rows = selectors.iter_suppressions(workspace=room)
    return {one.email or bytes(one.address_hash).hex(): (one.scope, one.reason) for one in rows}


@pytest.mark.parametrize("reason", list(SuppressionReason))
def test_only_a_manual_entry_is_lifted_without_a_second_thought(reason: SuppressionReason) -> None:
    room = make_workspace()
    suppress(room, reason)
    if reason is SuppressionReason.ERASED:
        with pytest.raises(SuppressionFinal):
            lift(room, is_confirmed=True)
        return
    if reason is not SuppressionReason.MANUAL:
        with pytest.raises(SuppressionGuarded):
            lift(room)
    assert lift(room, is_confirmed=True)
    assert not lift(room, is_confirmed=True)
    entry = AuditEntry.objects.get(act="contact.unsuppressed")
    assert (entry.before["reason"], entry.after) == (reason.value, {"note": "asked by phone"})


def test_lifting_reaches_one_scope_and_no_stranger() -> None:
    room, stranger = make_workspace(), make_workspace()
    neighbour = make_workspace(organization=room.organization)
    suppress(room)
    suppress(room, scope=EVERYWHERE)
    suppress(room, scope=PLATFORM)
    row = Suppression.objects.get(scope="workspace")
    for other in (neighbour, stranger):
        with pytest.raises(NoSuchSuppression):
            services.lift_suppression(workspace=other, uid=row.uid, lift=Lift(), actor=SYSTEM, now=NOW)
        assert not lift(other)
    assert not lift(stranger, scope=EVERYWHERE)
    assert lift(neighbour, scope=EVERYWHERE)
    assert set(Suppression.objects.values_list("scope", flat=True)) == {"workspace", "platform"}
    assert stored(room) == {"ada@example.com": ("workspace", "manual")}


@pytest.mark.parametrize("reason", [one for one in RANK if one not in ("unsubscribed", "erased")])
def test_an_opt_out_lives_on_under_a_stronger_reason_and_comes_back_when_that_is_lifted(
    reason: SuppressionReason,
) -> None:
    for order in ((SuppressionReason.UNSUBSCRIBED, reason), (reason, SuppressionReason.UNSUBSCRIBED)):
        room = make_workspace()
        assert [suppress(room, one) for one in order] == [True, True]
        assert [suppress(room, one) for one in order] == [False, False]
        assert stored(room) == {"ada@example.com": ("workspace", reason.value)}
        assert lift(room, is_confirmed=True)
        assert stored(room) == {"ada@example.com": ("workspace", "unsubscribed")}


def test_many_at_once_are_one_statement_one_act_and_never_weaken() -> None:
    room = make_workspace()
    suppress(room, SuppressionReason.COMPLAINT)
    entries = [NewSuppression(f"p{number}@example.com", SuppressionReason.HARD_BOUNCE) for number in range(500)]
    entries += [
        NewSuppression("ada@example.com", SuppressionReason.MANUAL),
        NewSuppression("p1@example.com", SuppressionReason.COMPLAINT),
    ]

    def add() -> int:
        return services.suppress_addresses(
            workspace=room, entries=entries, scope=HERE, source="paste", actor=SYSTEM, now=NOW
        )

    with CaptureQueriesContext(connection) as seen:
        assert add() == 500
    assert len(seen) <= 6
    assert add() == 0
    assert DomainEvent.objects.filter(name="suppressions.added").count() == 1
    now = stored(room)
    assert (now["ada@example.com"], now["p1@example.com"]) == (("workspace", "complaint"),) * 2


def test_an_opt_out_beside_a_graver_entry_of_one_file_is_not_lost() -> None:
    room = make_workspace()
    run = read_in(room, "email,reason\nada@example.com,unsubscribed\nada@example.com,manual\n")
    assert (run.added_rows, run.known_rows) == (1, 1)
    assert lift(room)
    assert stored(room) == {"ada@example.com": ("workspace", "unsubscribed")}


def test_the_list_is_searched_by_part_and_by_whole_address_and_filtered() -> None:
    room = make_workspace()
    suppress(room, SuppressionReason.COMPLAINT, "ada@example.com")
    suppress(room, SuppressionReason.MANUAL, "bob@example.org", EVERYWHERE)
    suppress(room, SuppressionReason.MANUAL, "cyd@example.org", PLATFORM)
    erased = [NewSuppression("", SuppressionReason.ERASED, address_hash=crypto.address_hash("eve@example.com"))]
    services.suppress_addresses(workspace=room, entries=erased, scope=HERE, source="t", actor=SYSTEM, now=NOW)

    def found(
        search: str = "", scope: SuppressionScope | None = None, reason: SuppressionReason | None = None
    ) -> Sequence[str]:
        page = selectors.list_suppressions(workspace=room, page=PAGE, search=search, scope=scope, reason=reason)
        return [one.email for one in page.items]

    assert found() == ["", "bob@example.org", "ada@example.com"]
    assert found("EXAMPLE.org") == ["bob@example.org"]
    assert found(" Eve@Example.com ") == [""]
    assert found(scope=EVERYWHERE) == ["bob@example.org"]
    assert found(reason=SuppressionReason.COMPLAINT) == ["ada@example.com"]
    assert found(scope=PLATFORM) == found("nobody\0") == []


def test_a_file_is_read_row_by_row_and_its_faults_are_named() -> None:
    room = make_workspace()
    run = read_in(
        room,
        "E-mail;Type;Note;Scope;Created at\n"
        "Ada <ADA@Example.com>;bounce;mailbox full;;2026-01-02\n"
        "bob@example.com;Spam Complaint;;workspace;\n"
        "no address;;;;\n"
        ";;;;\n"
        "cyd@example.com;weather;;;\n"
        "dan@example.com;;;organization;\n"
        "eve@example.com;erased;;;\n"
        "fay@example.com;;;;yesterday\n"
        "'+gus@example.com;;;;\n"
        "bob@example.com;manual;;;\n",
    )
    assert (run.status, run.filename, run.total_rows) == (RunStatus.DONE, "list.csv", 10)
    assert (run.added_rows, run.known_rows, run.error_rows, run.processed_rows) == (3, 1, 6, 10)
    assert [number for number, _ in run.errors] == [3, 4, 5, 6, 7, 8]
    assert stored(room) == {
        "ada@example.com": ("workspace", "hard_bounce"),
        "bob@example.com": ("workspace", "complaint"),
        "+gus@example.com": ("workspace", "manual"),
    }
    ada = Suppression.objects.get(email="ada@example.com")
    assert (ada.detail, ada.created_at.date().isoformat()) == ("mailbox full", "2026-01-02")


def test_a_bare_column_of_addresses_needs_no_header_and_a_file_without_any_is_refused() -> None:
    room = make_workspace()
    run = read_in(room, "ada@example.com\nbob@example.com\n", EVERYWHERE, SuppressionReason.BANNED)
    assert (run.added_rows, run.error_rows) == (2, 0)
    assert set(stored(room).values()) == {("organization", "banned")}
    for text in ("name;phone\nAda;1\n", "", "\n\n"):
        with pytest.raises(BadImport):
            read_in(room, text)
    assert SuppressionRun.objects.count() == 1


def test_what_is_taken_away_comes_back_without_loss_and_runs_nothing() -> None:
    room, empty = make_workspace(), make_workspace()
    suppress(room, SuppressionReason.COMPLAINT)
    services.suppress_address(
        workspace=room,
        email="+sum@example.com",
        scope=EVERYWHERE,
        reason=SuppressionReason.MANUAL,
        detail='=HYPERLINK("http://evil.example")',
        actor=SYSTEM,
        now=NOW,
    )
    erased = [NewSuppression("", SuppressionReason.ERASED, address_hash=crypto.address_hash("eve@example.com"))]
    services.suppress_addresses(workspace=room, entries=erased, scope=HERE, source="t", actor=SYSTEM, now=NOW)
    suppress(room, SuppressionReason.UNSUBSCRIBED)
    file = "".join(selectors.iter_suppression_file(workspace=room))
    assert not any(line.startswith(("=", "+", "-", "@")) for line in file.splitlines())
    assert ",=HYPER" not in file
    assert '"=HYPER' not in file
    run = read_in(empty, file, EVERYWHERE)
    assert (run.added_rows, run.error_rows) == (3, 0)
    assert stored(empty) == stored(room)
    assert Suppression.objects.filter(email="ada@example.com", reason="complaint", is_opted_out=True).count() == 2
    again = "".join(selectors.iter_suppression_file(workspace=empty))
    assert sorted(again.splitlines()) == sorted(file.splitlines())


def test_a_killed_reading_goes_on_and_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from postroom.core.contacts.services import suppression_files

    monkeypatch.setattr(suppression_files, "BATCH_SIZE", 10)
    room = make_workspace()
    text = "email\n" + "".join(f"p{number}@example.com\n" for number in range(35))
    run = services.start_suppression_file(
        workspace=room,
        upload=Upload(io.BytesIO(text.encode()), "list.csv"),
        scope=HERE,
        reason=SuppressionReason.MANUAL,
        actor=SYSTEM,
        now=NOW,
    )
    real, calls = suppression_files._write, []

    def write(*arguments: object) -> bool:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(suppression_files, "_write", write)
    with pytest.raises(KeyboardInterrupt):
        services.run_suppression_file(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.status, run.processed_rows) == (RunStatus.RUNNING, 20)
    for _ in range(2):
        services.run_suppression_file(run_uid=run.uid, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.status, run.processed_rows, run.added_rows) == (RunStatus.DONE, 35, 35)


def test_runs_of_others_are_unknown() -> None:
    run = read_in(make_workspace(), "ada@example.com\n")
    with pytest.raises(NoSuchImport):
        selectors.get_suppression_run(workspace=make_workspace(), uid=run.uid)


def test_a_contact_page_is_told_of_what_happens_to_its_address() -> None:
    room = make_workspace()
    ada = make_contact(room)
    suppress(room, SuppressionReason.COMPLAINT)
    lift(room, is_confirmed=True)
    names = DomainEvent.objects.filter(contact_id=ada.pk, name__contains="suppressed").order_by("pk")
    assert list(names.values_list("name", flat=True)) == ["contact.suppressed", "contact.unsuppressed"]


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_whole() -> None:
    text = "email,reason\n" + "".join(f"person-{one}@example-{one % 500}.com,bounce\n" for one in range(100_000))
    started = time.perf_counter()
    assert read_in(make_workspace(), text).added_rows == 100_000
    print(f"suppression file: {100_000 / (time.perf_counter() - started):,.0f} rows/s")  # noqa: T201 - for who asks
