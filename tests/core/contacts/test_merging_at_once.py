"""Merges that meet each other, or a change of the same people, on real connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from postroom.core.contacts import services
from postroom.core.contacts.models import Contact, ContactAlias, ContactTag, ContactWorkspace, ListMember
from postroom.core.contacts.types import OptOutScope
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM
from postroom.kit.errors import AppError
from tests.factories import NOW, make_contact, make_list, make_workspace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def merge(room: Workspace, survivor: Contact, other: Contact) -> None:
    services.merge_contacts(
        workspace=room, survivor_uid=survivor.uid, other_uid=other.uid, choices={}, actor=SYSTEM, now=NOW
    )


def at_once(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Begin all acts at the same moment; return what each of them raised."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> BaseException | None:
        try:
            start.wait()
            act()
        except AppError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_two_merges_of_the_same_two_leave_one_person_whoever_wins() -> None:
    room = make_workspace()
    for _ in range(5):
        one, two = make_contact(workspace=room), make_contact(workspace=room)
        before = ContactAlias.objects.count()
        raised = at_once(lambda: merge(room, one, two), lambda: merge(room, two, one))  # noqa: B023 - done before the next
        assert sorted(error is None for error in raised) == [False, True]
        assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 1
        assert ContactAlias.objects.count() == before + 1


def test_a_ring_of_merges_ends_without_a_deadlock_and_everybody_leads_to_somebody() -> None:
    room = make_workspace()
    people = [make_contact(workspace=room) for _ in range(6)]
    pairs = list(zip(people, people[1:] + people[:1], strict=True))
    at_once(*(lambda pair=pair: merge(room, *pair) for pair in pairs))  # type: ignore[misc]
    left = set(Contact.objects.values_list("pk", flat=True))
    aliases = dict(ContactAlias.objects.values_list("old_id", "contact_id"))
    assert left
    assert left | set(aliases) == {one.pk for one in people}
    assert set(aliases.values()) <= left


def test_an_opt_out_that_meets_a_merge_holds_for_the_survivor() -> None:
    room = make_workspace()
    for _ in range(5):
        one, two = make_contact(workspace=room), make_contact(workspace=room)
        gone = two.pk

        def leave(contact_id: int = gone) -> None:
            scope = OptOutScope(is_everything=True)
            services.opt_out(workspace=room, contact_id=contact_id, scope=scope, source="link", actor=SYSTEM, now=NOW)

        raised = at_once(leave, lambda: merge(room, one, two))  # noqa: B023 - done before the next
        assert raised == [None, None]
        one.refresh_from_db()
        assert one.is_globally_opted_out


def test_tags_and_lists_given_while_a_merge_runs_are_not_lost() -> None:
    room = make_workspace()
    news = make_list(workspace=room)
    one, two = make_contact(workspace=room), make_contact(workspace=room)

    def give() -> None:
        services.tag_contact(workspace=room, uid=two.uid, tag_name="late", actor=SYSTEM, now=NOW)

    def put() -> None:
        services.opt_out(
            workspace=room,
            contact_id=two.pk,
            scope=OptOutScope(list_ids=(news.pk,)),
            source="link",
            actor=SYSTEM,
            now=NOW,
        )

    raised = at_once(give, put, lambda: merge(room, one, two))
    assert raised == [None, None, None]
    assert ContactTag.objects.filter(contact=one, tag__name="late").exists()
    assert ListMember.objects.get(contact=one).status == "unsubscribed"
    assert not ContactTag.objects.exclude(contact=one).exists()
    assert ContactWorkspace.objects.count() == 1
