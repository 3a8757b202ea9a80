"""Field definitions: who sees them, in what order, what may change, and what would lose values."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import BadField, BadTypeChange, BadValue, FieldInUse, NameTaken, NoSuchField
from postroom.core.contacts.models import Contact, Field, TypeChange
from postroom.core.contacts.rules.retyping import convert_value
from postroom.core.contacts.services import retyping
from postroom.core.contacts.types import (
    FieldChanges,
    FieldScope,
    FieldSpec,
    FieldType,
    NewContact,
    NewField,
    RunStatus,
)
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit import clock
from postroom.kit.types import JSONObject, JSONValue
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retyping, "BATCH_SIZE", 2)


def define(room: Workspace, label: str = "Plan", type_: FieldType = FieldType.TEXT, **more: Any) -> Field:
    return services.create_field(
        workspace=room, new=NewField(label=label, type=type_, **more), actor=make_actor(), now=NOW
    )


def people(room: Workspace, key: str, *values: JSONValue) -> list[Contact]:
    """Store people with these values as they stand, as if they had come before the field was defined."""
    made = []
    for value in values:
        new = NewContact(first_name="Ada", email=f"p{Contact.objects.count()}@example.com")
        person = services.create_contact(workspace=room, new=new, actor=SYSTEM, now=NOW)
        Contact.objects.filter(pk=person.pk).update(custom={key: value, "other": "stays"})
        made.append(person)
    return made


def retype(room: Workspace, field: Field, type_: FieldType, *options: str) -> TypeChange:
    run = services.change_field_type(
        workspace=room, uid=field.uid, type=type_, options=options, actor=make_actor(), now=NOW
    )
    services.run_type_change(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    return run


def stored(*made: Contact, key: str = "plan") -> list[JSONValue]:
    rows = Contact.objects.in_bulk([one.pk for one in made])
    return [rows[one.pk].custom.get(key) for one in made]


def change(room: Workspace, field: Field, **changes: Any) -> Field:
    return services.update_field(
        workspace=room, uid=field.uid, changes=FieldChanges(**changes), actor=make_actor(), now=NOW
    )


def test_a_field_is_called_anew_and_keeps_its_key() -> None:
    room = make_workspace()
    field = define(room)
    changed = change(room, field, label="Subscription", description="What they pay for")
    assert (changed.key, changed.label, changed.description) == ("plan", "Subscription", "What they pay for")
    entry = AuditEntry.objects.get(act="field.updated")
    assert (entry.before["label"], entry.after["label"]) == ("Plan", "Subscription")
    change(room, field, label="Subscription")
    assert AuditEntry.objects.filter(act="field.updated").count() == 1
    with pytest.raises(BadField):
        change(room, field, label=" ")
    with pytest.raises(BadField):
        change(room, field, options=("a",))


def test_fields_keep_the_order_they_are_put_in() -> None:
    room = make_workspace()
    made = [define(room, label) for label in "ABCD"]

    def move(field: Field, steps: int) -> str:
        services.move_field(workspace=room, uid=field.uid, steps=steps, actor=make_actor(), now=NOW)
        return "".join(one.label for one in selectors.list_fields(workspace=room))

    assert move(made[3], -1) == "ABDC"
    assert move(made[0], 2) == "BDAC"
    assert move(made[2], -9) == "CBDA"
    assert move(made[2], 9) == "BDAC"
    assert move(made[2], 1) == "BDAC"
    define(room, "E")
    assert [one.label for one in selectors.list_fields(workspace=room)][-1] == "E"


def test_core_fields_are_seen_everywhere_and_internal_ones_in_global_workspaces_only() -> None:
    room = make_workspace()
    neighbour, stranger = make_workspace(organization=room.organization), make_workspace()
    define(room, "Everywhere", scope=FieldScope.CORE)
    define(room, "Here")
    internal = define(room, "Internal", scope=FieldScope.GLOBAL_INTERNAL)

    def seen(workspace: Workspace) -> list[str]:
        return [one.label for one in selectors.list_fields(workspace=workspace)]

    assert seen(room) == ["Everywhere", "Here"]
    assert seen(neighbour) == ["Everywhere"]
    assert seen(stranger) == []
    with pytest.raises(NoSuchField):
        selectors.get_field(workspace=room, uid=internal.uid)
    neighbour.settings = {"is_global": True}
    neighbour.save()
    assert seen(neighbour) == ["Everywhere", "Internal"]
    with pytest.raises(NameTaken):
        define(neighbour, "Internal")


def test_an_option_people_have_is_not_taken_away_by_accident() -> None:
    room = make_workspace()
    field = define(room, type_=FieldType.MULTISELECT, options=("gold", "silver", "bronze"))
    made = people(room, "plan", ["gold", "silver"], ["gold"], "gold", ["bronze"], [], None)
    with pytest.raises(BadField, match=r"'gold' \(3\), 'silver' \(1\)"):
        change(room, field, options=("bronze",))
    field.refresh_from_db()
    assert field.options == ["gold", "silver", "bronze"]
    change(room, field, options=("bronze",), keeps_values=True)
    field.refresh_from_db()
    assert field.options == ["bronze"]
    assert stored(*made)[:2] == [["gold", "silver"], ["gold"]]
    change(room, field, options=("bronze", "tin", "tin", " "))
    assert Field.objects.get().options == ["bronze", "tin"]
    change(room, field, options=())


def test_an_option_only_strangers_have_may_go() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    field = define(room, type_=FieldType.SELECT, options=("gold", "silver"))
    people(elsewhere, "plan", "gold")
    change(room, field, options=("silver",))
    assert Field.objects.get().options == ["silver"]


def test_a_field_a_segment_asks_for_is_not_deleted() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    own, core = define(room, "Plan"), define(room, "Country", scope=FieldScope.CORE)
    inner: JSONObject = {"field": "custom.country", "operator": "eq", "value": "GB"}
    nested: JSONObject = {"match": "all", "conditions": [{"match": "any", "conditions": [inner]}]}
    services.create_segment(workspace=neighbour, name="Britons", filter=nested, actor=make_actor(), now=NOW)
    made = people(room, "plan", "gold")
    with pytest.raises(FieldInUse, match="'Britons'"):
        services.delete_field(workspace=room, uid=core.uid, actor=make_actor(), now=NOW)
    services.delete_field(workspace=room, uid=own.uid, actor=make_actor(), now=NOW)
    assert stored(*made) == ["gold"]
    assert [field.label for field in selectors.list_fields(workspace=room)] == ["Country"]
    define(room, "Plan")
    card = selectors.describe_contact(workspace=room, uid=made[0].uid)
    assert [one.value for one in card.custom if one.field.key == "plan"] == ["gold"]


def test_values_that_would_be_lost_are_counted_and_shown_and_nothing_changes() -> None:
    room = make_workspace()
    field = define(room)
    made = people(room, "plan", "12", "abc", "abc", "007", "1.5", "")
    run = retype(room, field, FieldType.NUMBER)
    assert (run.status, run.unfit_rows, sorted(run.samples)) == (RunStatus.FAILED, 3, ["007", "abc"])
    assert run.error.startswith("3 people have a value that would be lost as number: ")
    field.refresh_from_db()
    assert field.type == FieldType.TEXT
    assert stored(*made) == ["12", "abc", "abc", "007", "1.5", ""]


def test_values_that_fit_are_all_written_anew() -> None:
    room, elsewhere = make_workspace(), make_workspace()
    neighbour = make_workspace(organization=room.organization)
    field = define(room)
    made = people(room, "plan", "12", "1.5", "", None, "-3")
    hidden, stranger = people(neighbour, "plan", "7")[0], people(elsewhere, "plan", "8")[0]
    run = retype(room, field, FieldType.NUMBER)
    assert (run.status, run.error, run.total_rows, run.processed_rows) == (RunStatus.DONE, "", 6, 6)
    field.refresh_from_db()
    assert field.type == FieldType.NUMBER
    assert stored(*made) == [12, 1.5, None, None, -3]
    assert stored(hidden, stranger) == [7, "8"]
    assert Contact.objects.filter(custom__other="stays").count() == 7
    acts = AuditEntry.objects.filter(act__startswith="field.type").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["field.type_change_started", "field.type_changed"]


def test_a_change_that_was_cut_off_goes_on_where_it_stood() -> None:
    room = make_workspace()
    field = define(room)
    made = people(room, "plan", "1", "2", "3", "4", "5")
    run = services.change_field_type(
        workspace=room, uid=field.uid, type=FieldType.NUMBER, options=(), actor=make_actor(), now=NOW
    )
    spec = FieldSpec("plan", "Plan", FieldType.NUMBER)
    TypeChange.objects.update(status=RunStatus.RUNNING)
    retyping._switch(run, 5)
    retyping._convert_batch(run.pk, spec)
    assert stored(*made) == [1, 2, "3", "4", "5"]
    Contact.objects.filter(pk=made[4].pk).update(custom={"plan": "came between"})
    services.run_type_change(run_uid=run.uid, clock=clock.now)
    run.refresh_from_db()
    assert (run.status, run.processed_rows, run.unfit_rows) == (RunStatus.DONE, 5, 1)
    assert stored(*made) == [1, 2, 3, 4, "came between"]
    services.run_type_change(run_uid=run.uid, clock=clock.now)
    services.fail_type_change(run_uid=run.uid, reason="too late", now=NOW)
    run.refresh_from_db()
    assert (run.status, run.processed_rows) == (RunStatus.DONE, 5)


def test_one_change_at_a_time_and_none_where_another_room_has_the_key() -> None:
    room = make_workspace()
    neighbour = make_workspace(organization=room.organization)
    field, shared = define(room), define(room, "Shared")
    define(neighbour, "Shared", FieldType.NUMBER)

    def ask(known: Field) -> None:
        services.change_field_type(
            workspace=room, uid=known.uid, type=FieldType.NUMBER, options=(), actor=make_actor(), now=NOW
        )

    ask(field)
    with pytest.raises(BadTypeChange, match="already"):
        ask(field)
    with pytest.raises(FieldInUse, match="being changed"):
        services.delete_field(workspace=room, uid=field.uid, actor=make_actor(), now=NOW)
    with pytest.raises(BadTypeChange, match="Another workspace"):
        ask(shared)


def test_reading_a_million_values_takes_one_statement_and_writing_one_per_batch() -> None:
    room = make_workspace()
    field = define(room)
    people(room, "plan", *map(str, range(6)))
    run = services.change_field_type(
        workspace=room, uid=field.uid, type=FieldType.NUMBER, options=(), actor=make_actor(), now=NOW
    )
    with CaptureQueriesContext(connection) as queries:
        services.run_type_change(run_uid=run.uid, clock=clock.now)
    writes = [one for one in queries if "UPDATE contacts_contact c" in one["sql"]]
    assert len(writes) == 3


@pytest.mark.parametrize(
    ("type_", "value", "wanted"),
    [
        (FieldType.TEXT, 12, "12"),
        (FieldType.TEXT, True, "true"),
        (FieldType.TEXT, ["a", "b"], "a; b"),
        (FieldType.NUMBER, " 12 ", 12),
        (FieldType.NUMBER, "1.50", 1.5),
        (FieldType.BOOLEAN, "yes", True),
        (FieldType.BOOLEAN, 0, False),
        (FieldType.DATE, "31.3.2026", "2026-03-31"),
        (FieldType.SELECT, ["gold"], "gold"),
        (FieldType.SELECT, "GOLD", "gold"),
        (FieldType.SELECT, [], None),
        (FieldType.MULTISELECT, "gold", ["gold"]),
        (FieldType.EMAIL, "Ada@Example.com", "ada@example.com"),
        (FieldType.URL, "https://example.com/", "https://example.com/"),
        (FieldType.NUMBER, None, None),
        (FieldType.DATE, "", None),
    ],
)
def test_a_value_that_fits_is_converted(type_: FieldType, value: JSONValue, wanted: JSONValue) -> None:
    spec = FieldSpec("plan", "Plan", type_, ("gold", "silver") if "select" in type_ else ())
    assert convert_value(spec, value) == wanted


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (FieldType.NUMBER, "007"),
        (FieldType.NUMBER, "+49301234"),
        (FieldType.NUMBER, "-01"),
        (FieldType.NUMBER, "0.12345678901234567890"),
        (FieldType.NUMBER, True),
        (FieldType.NUMBER, ["1"]),
        (FieldType.DATE, "2026-03-31T10:00:00"),
        (FieldType.DATE, 20260331),
        (FieldType.BOOLEAN, "perhaps"),
        (FieldType.BOOLEAN, 2),
        (FieldType.SELECT, ["gold", "silver"]),
        (FieldType.SELECT, "tin"),
        (FieldType.MULTISELECT, "tin"),
        (FieldType.EMAIL, "nobody"),
        (FieldType.URL, "example.com"),
        (FieldType.TEXT, {"a": 1}),
    ],
)
def test_a_value_that_would_lose_something_is_refused(type_: FieldType, value: JSONValue) -> None:
    spec = FieldSpec("plan", "Plan", type_, ("gold", "silver") if "select" in type_ else ())
    with pytest.raises(BadValue):
        convert_value(spec, value)
