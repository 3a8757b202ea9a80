"""Bulk actions: done once whoever is killed, never against anybody's will, and taken back where that can be."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import rules, selectors, services
from postroom.core.contacts.errors import (
    BadBulk,
    BadValue,
    BulkChanged,
    BulkOver,
    NoSuchBulk,
    NoSuchList,
    SegmentTooSlow,
)
from postroom.core.contacts.models import (
    BulkChange,
    BulkRun,
    ConsentChange,
    Contact,
    ContactTag,
    List,
    ListMember,
    Suppression,
)
from postroom.core.contacts.selectors import segments
from postroom.core.contacts.services.bulk import run, start
from postroom.core.contacts.types import (
    BulkAction,
    BulkKind,
    ContactChanges,
    MemberStatus,
    OptOutScope,
    RunStatus,
    Selection,
)
from postroom.core.events.models import DomainEvent
from postroom.core.workspaces.models import AuditEntry, Workspace
from postroom.kit.types import JSONValue
from tests.core.contacts.people import make_contact, make_fields, make_list, set_member
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

EVERYBODY = Selection()


def begin(
    room: Workspace, kind: BulkKind, selection: Selection = EVERYBODY, params: Mapping[str, JSONValue] | None = None
) -> BulkRun:
    action = BulkAction(kind, params or {})
    return services.start_bulk(workspace=room, selection=selection, action=action, actor=make_actor(), now=NOW)


def finish(started: BulkRun) -> BulkRun:
    services.run_bulk(run_uid=started.uid, clock=lambda: NOW)
    started.refresh_from_db()
    return started


def do(
    room: Workspace, kind: BulkKind, selection: Selection = EVERYBODY, params: Mapping[str, JSONValue] | None = None
) -> BulkRun:
    done = finish(begin(room, kind, selection, params))
    assert done.status == RunStatus.DONE
    assert done.processed_rows == done.total_rows
    return done


def undo(room: Workspace, done: BulkRun) -> BulkRun:
    services.undo_bulk(workspace=room, uid=done.uid, actor=make_actor(), now=NOW)
    services.run_bulk_undo(run_uid=done.uid, clock=lambda: NOW)
    done.refresh_from_db()
    assert done.status == RunStatus.UNDONE
    assert not BulkChange.objects.filter(run=done).exists()
    return done


def tagged(room: Workspace, name: str) -> set[int]:
    links = ContactTag.objects.filter(tag__workspace=room, tag__name=name)
    return set(links.values_list("contact_id", flat=True))


def standings(list_: List) -> dict[int, str]:
    return dict(ListMember.objects.filter(list=list_).values_list("contact_id", "status"))


def leave(room: Workspace, contact: Contact, scope: OptOutScope) -> bool:
    return services.opt_out(
        workspace=room, contact_id=contact.pk, scope=scope, source="link", actor=make_actor(), now=NOW
    )


def test_a_tag_goes_on_everybody_selected_and_comes_off_those_who_had_it_not_before() -> None:
    room = make_workspace()
    ada, bob = make_contact(room, tags=("vip",)), make_contact(room, "bob@example.com")
    make_contact(make_workspace(organization=room.organization), "eve@example.com")
    done = do(room, BulkKind.TAG, params={"tag": "vip"})
    assert (done.processed_rows, done.changed_rows) == (2, 1)
    assert tagged(room, "vip") == {ada.pk, bob.pk}
    assert undo(room, done).undone_rows == 1
    assert tagged(room, "vip") == {ada.pk}


def test_a_tag_comes_off_and_goes_back_on_whoever_is_still_there() -> None:
    room = make_workspace()
    ada, bob = make_contact(room, tags=("vip",)), make_contact(room, "bob@example.com", tags=("VIP",))
    done = do(room, BulkKind.UNTAG, Selection(tag="vip"), {"tag": "Vip"})
    assert tagged(room, "vip") == set()
    services.delete_contact(workspace=room, uid=bob.uid, actor=make_actor(), now=NOW)
    assert undo(room, done).undone_rows == 1
    assert tagged(room, "vip") == {ada.pk}


def test_chosen_people_alone_are_changed() -> None:
    room, other = make_workspace(), make_workspace()
    ada, _ = make_contact(room), make_contact(room, "bob@example.com")
    stranger = make_contact(other)
    selection = Selection(uids=(str(ada.uid), str(stranger.uid)))
    do(room, BulkKind.TAG, selection, {"tag": "vip"})
    assert tagged(room, "vip") == {ada.pk}
    assert ContactTag.objects.count() == 1


def test_whoever_said_no_is_not_subscribed_by_a_bulk_action() -> None:
    room = make_workspace()
    names = ("new", "member", "pending", "left", "out", "gone")
    new, member, pending, left, out, gone = (make_contact(room, f"{name}@example.com") for name in names)
    news = make_list(room, member)
    set_member(room, news, pending, MemberStatus.PENDING)
    set_member(room, news, left, MemberStatus.UNSUBSCRIBED)
    leave(room, out, OptOutScope())
    leave(room, gone, OptOutScope(is_everything=True))
    done = do(room, BulkKind.SUBSCRIBE, params={"list_id": news.pk})
    after = {new.pk: "subscribed", member.pk: "subscribed", pending.pk: "subscribed", left.pk: "unsubscribed"}
    assert standings(news) == after
    assert done.changed_rows == 2
    proof = ConsentChange.objects.filter(source__startswith="bulk change")
    assert set(proof.values_list("contact_id", "state")) == {(new.pk, "subscribed"), (pending.pk, "subscribed")}
    assert undo(room, done).undone_rows == 2
    assert standings(news) == {member.pk: "subscribed", pending.pk: "pending", left.pk: "unsubscribed"}


def test_a_list_whose_people_confirm_themselves_has_them_confirm() -> None:
    room = make_workspace()
    new, known = make_contact(room), make_contact(room, "bob@example.com")
    news = services.create_list(workspace=room, name="N", is_double_opt_in=True, actor=make_actor(), now=NOW)
    ListMember.objects.create(list=news, contact=known, status="subscribed", created_at=NOW, updated_at=NOW)
    done = do(room, BulkKind.SUBSCRIBE, params={"list_id": news.pk})
    assert standings(news) == {new.pk: "pending", known.pk: "subscribed"}
    assert DomainEvent.objects.filter(name="list.confirmations_wanted", object_id=news.pk).count() == 1
    undo(room, done)
    assert standings(news) == {known.pk: "subscribed"}


def test_an_undo_revives_no_opt_out_that_came_later() -> None:
    room = make_workspace()
    ada, bob, eve = (make_contact(room, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    news = make_list(room, ada, bob)
    done = do(room, BulkKind.UNSUBSCRIBE, Selection(list_id=news.pk), {"list_id": news.pk})
    assert standings(news) == {ada.pk: "unsubscribed", bob.pk: "unsubscribed"}
    assert leave(room, ada, OptOutScope(list_ids=(news.pk,)))  # off already, but now it is Ada's own word
    assert undo(room, done).undone_rows == 1
    assert standings(news) == {ada.pk: "unsubscribed", bob.pk: "subscribed"}
    put_on = do(room, BulkKind.SUBSCRIBE, params={"list_id": news.pk})
    assert standings(news)[eve.pk] == "subscribed"
    leave(room, eve, OptOutScope(list_ids=(news.pk,)))
    undo(room, put_on)
    assert standings(news)[eve.pk] == "unsubscribed"


def test_a_field_is_set_typed_and_what_stood_there_comes_back_unless_somebody_changed_it_since() -> None:
    room = make_workspace()
    make_fields(room)
    ada, bob = make_contact(room, age=36, plan="pro"), make_contact(room, "bob@example.com")
    eve, same = make_contact(room, "eve@example.com", age=20), make_contact(room, "same@example.com", age=40)
    done = do(room, BulkKind.SET_FIELD, params={"field": "age", "value": "40"})
    assert done.changed_rows == 3
    assert set(Contact.objects.values_list("custom__age", flat=True)) == {40}
    changes = ContactChanges(custom={"age": 21})
    services.update_contact(workspace=room, uid=eve.uid, changes=changes, actor=make_actor(), now=NOW)
    assert undo(room, done).undone_rows == 2
    customs = dict(Contact.objects.values_list("pk", "custom"))
    assert customs == {ada.pk: {"age": 36, "plan": "pro"}, bob.pk: {}, eve.pk: {"age": 21}, same.pk: {"age": 40}}


def test_a_field_is_cleared_and_comes_back() -> None:
    room = make_workspace()
    make_fields(room)
    ada, bob = make_contact(room, likes=["a", "b"]), make_contact(room, "bob@example.com", likes=["c"])
    done = do(room, BulkKind.CLEAR_FIELD, params={"field": "likes"})
    assert list(Contact.objects.values_list("custom", flat=True)) == [{}, {}]
    services.update_contact(
        workspace=room, uid=bob.uid, changes=ContactChanges(custom={"likes": ["d"]}), actor=make_actor(), now=NOW
    )
    undo(room, done)
    assert dict(Contact.objects.values_list("pk", "custom")) == {
        ada.pk: {"likes": ["a", "b"]},
        bob.pk: {"likes": ["d"]},
    }


def test_many_are_deleted_as_one_is() -> None:
    """The same people twice over: in one workspace deleted one by one, in another all at once."""
    ends = []
    for is_bulk in (False, True):
        room = make_workspace()
        neighbour = make_workspace(organization=room.organization)
        names = ("plain", "off-list", "off-room", "off-all", "shared", "shared-off")
        people = [make_contact(room, f"{name}@example.com", tags=("x",)) for name in names]
        people.append(make_contact(room, None))
        plain, off_list, off_room, off_all, _, shared_off, _ = people
        make_contact(neighbour, "shared@example.com")
        make_contact(neighbour, "shared-off@example.com")
        news = make_list(room, plain)
        set_member(room, news, off_list, MemberStatus.UNSUBSCRIBED)
        leave(room, off_room, OptOutScope())
        leave(room, off_all, OptOutScope(is_everything=True))
        leave(room, shared_off, OptOutScope(is_everything=True))
        if is_bulk:
            do(room, BulkKind.DELETE, params={"count": 7})
        else:
            for one in people:
                services.delete_contact(workspace=room, uid=one.uid, actor=make_actor(), now=NOW)
        organization = room.organization
        left = Contact.objects.filter(organization=organization).values_list("email", "is_globally_opted_out")
        kept = Suppression.objects.filter(organization=organization).values_list("email", "scope", "reason", "detail")
        ends.append((sorted(left), sorted(kept), ContactTag.objects.count(), ListMember.objects.count()))
    assert ends[0] == ends[1]
    assert [row[:2] for row in ends[0][1]] == [
        ("off-all@example.com", "organization"),
        ("off-list@example.com", "workspace"),
        ("off-room@example.com", "workspace"),
    ]
    assert [email for email, _ in ends[0][0]] == ["shared-off@example.com", "shared@example.com"]


def test_a_deletion_needs_the_number_of_those_it_would_meet_and_cannot_be_undone() -> None:
    room = make_workspace()
    make_contact(room)
    for count in (None, 2, "1"):
        with pytest.raises(BulkChanged, match="Nobody was deleted"):
            begin(room, BulkKind.DELETE, params={"count": count})
    assert not BulkRun.objects.exists()
    done = do(room, BulkKind.DELETE, params={"count": 1})
    assert not Contact.objects.exists()
    with pytest.raises(BulkOver, match="cannot be undone"):
        services.undo_bulk(workspace=room, uid=done.uid, actor=make_actor(), now=NOW)


def test_a_deletion_that_would_meet_more_people_by_the_time_it_begins_deletes_nobody() -> None:
    room = make_workspace()
    make_contact(room, tags=("old",))
    bob = make_contact(room, "bob@example.com")
    started = begin(room, BulkKind.DELETE, Selection(tag="old"), {"count": 1})
    services.tag_contact(workspace=room, uid=bob.uid, tag_name="old", actor=make_actor(), now=NOW)
    failed = finish(started)
    assert (failed.status, failed.processed_rows) == (RunStatus.FAILED, 0)
    assert "Nobody was deleted" in failed.error
    assert Contact.objects.count() == 2


def test_a_deletion_whose_people_take_too_long_to_count_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    make_contact(room)

    def count_for_ever(**_: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return 1

    monkeypatch.setattr(segments, "WAIT_LIMIT_MS", 50)
    monkeypatch.setattr(start, "count_people", count_for_ever)
    with pytest.raises(SegmentTooSlow):
        begin(room, BulkKind.DELETE, params={"count": 1})
    assert not BulkRun.objects.exists()


def test_who_comes_after_the_beginning_is_not_touched() -> None:
    room = make_workspace()
    make_contact(room)
    started = begin(room, BulkKind.DELETE, params={"count": 1})
    late = make_contact(room, "late@example.com")
    finish(started)
    assert list(Contact.objects.values_list("pk", flat=True)) == [late.pk]


def test_a_killed_run_goes_on_at_the_last_edge_and_a_second_runner_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    people = [make_contact(room, f"p{number}@example.com") for number in range(10)]
    monkeypatch.setattr(run, "BATCH_SIZE", 3)
    started = begin(room, BulkKind.TAG, params={"tag": "vip"})
    run._begin(started, NOW)
    assert not run._step(started, NOW)
    stale = BulkRun.objects.select_related("workspace").get(pk=started.pk)
    assert not run._step(stale, NOW)
    assert not run._step(stale, NOW)  # stands where another runner has been since
    assert BulkRun.objects.get().processed_rows == 6
    done = finish(started)
    assert (done.status, done.processed_rows, done.changed_rows) == (RunStatus.DONE, 10, 10)
    assert [len(change.contact_ids) for change in BulkChange.objects.order_by("pk")] == [3, 3, 3, 1]
    told = DomainEvent.objects.filter(name="contacts.tagged").order_by("id")
    assert [pk for event in told for pk in event.data["contact_ids"]] == [one.pk for one in people]
    services.run_bulk(run_uid=started.uid, clock=lambda: NOW)
    assert BulkRun.objects.get().processed_rows == 10
    assert AuditEntry.objects.filter(act__startswith="bulk.").count() == 2


def test_an_undo_goes_on_where_it_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    for number in range(7):
        make_contact(room, f"p{number}@example.com")
    monkeypatch.setattr(run, "BATCH_SIZE", 3)
    done = do(room, BulkKind.TAG, params={"tag": "vip"})
    services.undo_bulk(workspace=room, uid=done.uid, actor=make_actor(), now=NOW)
    from postroom.core.contacts.services.bulk import undo as undoing

    done.refresh_from_db()
    assert undoing._step(done, NOW)
    assert len(tagged(room, "vip")) == 6
    services.run_bulk_undo(run_uid=done.uid, clock=lambda: NOW)
    done.refresh_from_db()
    assert (done.status, done.undone_rows, tagged(room, "vip")) == (RunStatus.UNDONE, 7, set())
    with pytest.raises(BulkOver):
        services.undo_bulk(workspace=room, uid=done.uid, actor=make_actor(), now=NOW)


def test_a_cancelled_run_stops_and_what_it_did_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    room = make_workspace()
    for number in range(5):
        make_contact(room, f"p{number}@example.com")
    monkeypatch.setattr(run, "BATCH_SIZE", 2)
    started = begin(room, BulkKind.TAG, params={"tag": "vip"})
    with pytest.raises(BulkOver):
        services.undo_bulk(workspace=room, uid=started.uid, actor=make_actor(), now=NOW)
    run._begin(started, NOW)
    run._step(started, NOW)
    services.cancel_bulk(workspace=room, uid=started.uid, actor=make_actor(), now=NOW)
    stopped = finish(started)
    assert (stopped.status, stopped.changed_rows) == (RunStatus.CANCELLED, 2)
    with pytest.raises(BulkOver):
        services.cancel_bulk(workspace=room, uid=started.uid, actor=make_actor(), now=NOW)
    undo(room, stopped)
    assert tagged(room, "vip") == set()


def test_what_makes_no_sense_is_refused_before_anything_is_stored() -> None:
    room, other = make_workspace(), make_workspace()
    make_fields(room)
    make_contact(room)
    theirs = make_list(other)
    for kind, params, error in (
        (BulkKind.TAG, {}, BadBulk),
        (BulkKind.TAG, {"tag": "  "}, BadBulk),
        (BulkKind.TAG, {"tag": 5}, BadBulk),
        (BulkKind.UNTAG, {"tag": "nobody has it"}, BadBulk),
        (BulkKind.SUBSCRIBE, {}, BadBulk),
        (BulkKind.SUBSCRIBE, {"list_id": theirs.pk}, NoSuchList),
        (BulkKind.SET_FIELD, {"field": "age", "value": "old"}, BadValue),
        (BulkKind.SET_FIELD, {"field": "age", "value": ""}, BadBulk),
        (BulkKind.SET_FIELD, {"field": "nothing", "value": "x"}, BadBulk),
        (BulkKind.CLEAR_FIELD, {}, BadBulk),
    ):
        with pytest.raises(error):
            begin(room, kind, params=params)
    assert not BulkRun.objects.exists()
    started = begin(room, BulkKind.TAG, params={"tag": "x"})
    for act in (services.cancel_bulk, services.undo_bulk):
        with pytest.raises(NoSuchBulk):
            act(workspace=other, uid=started.uid, actor=make_actor(), now=NOW)
    with pytest.raises(NoSuchBulk):
        selectors.get_bulk(workspace=other, uid=started.uid)


def test_a_batch_costs_the_same_number_of_statements_however_many_are_in_it() -> None:
    room = make_workspace()
    make_fields(room)
    news = make_list(room)
    costs = []
    for size in (2, 12):
        for number in range(size):
            make_contact(room, f"p{size}-{number}@example.com")
        costs.append([])
        for kind, params in (
            (BulkKind.TAG, {"tag": f"t{size}"}),
            (BulkKind.SUBSCRIBE, {"list_id": news.pk}),
            (BulkKind.SET_FIELD, {"field": "age", "value": size}),
            (BulkKind.UNSUBSCRIBE, {"list_id": news.pk}),
            (BulkKind.DELETE, {"count": size}),
        ):
            started = begin(room, kind, params=params)
            with CaptureQueriesContext(connection) as queries:
                finish(started)
            costs[-1].append(len(queries))
    assert costs[0] == costs[1]
    assert max(costs[0]) < 60


def test_a_forecast_says_how_many_and_how_many_of_them_have_opted_out() -> None:
    room = make_workspace()
    for name in ("a", "b", "c", "d"):
        make_contact(room, f"{name}@example.com", tags=("x",) if name != "d" else ())
    leave(room, Contact.objects.get(email="a@example.com"), OptOutScope())
    leave(room, Contact.objects.get(email="b@example.com"), OptOutScope(is_everything=True))
    leave(room, Contact.objects.get(email="b@example.com"), OptOutScope())
    found = selectors.forecast_bulk(workspace=room, selection=Selection(tag="x"))
    assert (found.selected, found.opted_out) == (3, 2)


def test_old_runs_are_forgotten_and_their_undo_before() -> None:
    room = make_workspace()
    make_contact(room)
    done = do(room, BulkKind.TAG, params={"tag": "vip"})
    assert services.forget_old_bulk(now=NOW + timedelta(days=29)) == 0
    assert BulkChange.objects.exists()
    assert services.forget_old_bulk(now=NOW + timedelta(days=31)) == 0
    assert not BulkChange.objects.exists()
    with pytest.raises(BulkOver, match="nothing left"):
        services.undo_bulk(workspace=room, uid=done.uid, actor=make_actor(), now=NOW)
    assert services.forget_old_bulk(now=NOW + timedelta(days=91)) == 1


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {"uids": "x"},
        {"uids": [5]},
        {"uids": ["x"]},
        {"tag": 5},
        {"list_id": "1"},
        {"list_id": True},
        {"q": ""},
    ],
)
def test_a_selection_that_is_not_understood_is_not_everybody(stored: JSONValue) -> None:
    with pytest.raises(BadValue):
        rules.parse_selection(stored)


def test_a_selection_is_stored_and_read_alike() -> None:
    for selection in (
        Selection(),
        Selection(uids=("0190a6c0-0000-7000-8000-000000000001",)),
        Selection(search="ada", tag="x", list_id=3, segment_id=4),
    ):
        assert rules.parse_selection(rules.selection_json(selection)) == selection
