"""The table of people: the same answer whichever way it is found, part by part, for few statements."""

import os
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from postroom.core.contacts import selectors, services
from postroom.core.contacts.errors import NoSuchSegment
from postroom.core.contacts.models import Contact, ContactTag, List, ListMember, Tag
from postroom.core.contacts.selectors import Stretch, directory, words
from postroom.core.contacts.types import ContactOrder, MemberStatus, NewContact, Selection
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import PageRequest
from tests.core.contacts.people import make_contact, make_list
from tests.factories import NOW, make_actor, make_workspace

pytestmark = pytest.mark.django_db

FIRST = ("Ada", "Adele", "Bob", "Zoë")
LAST = ("Adams", "Baker", "Björk", "田中")


@pytest.fixture
def room() -> Workspace:
    """A workspace of sixty people; the newest have the rarest words, so that walking alone does not do."""
    chance = random.Random(7)
    room = make_workspace()
    for number in range(60):
        new = NewContact(
            email=f"p{number}@{'example' if number % 3 else 'other'}.com",
            first_name=chance.choice(FIRST[: 1 + number // 15]),
            last_name=chance.choice(LAST),
        )
        services.create_contact(workspace=room, new=new, actor=make_actor(), now=NOW)
    tag = Tag.objects.create(workspace=room, name="Some", created_at=NOW)
    list_ = List.objects.create(workspace=room, name="News", created_at=NOW)
    for contact in Contact.objects.all():
        if chance.random() < 0.3:
            ContactTag.objects.create(contact=contact, tag=tag)
        if chance.random() < 0.6:
            ListMember.objects.create(
                contact=contact, list=list_, status=MemberStatus.SUBSCRIBED, created_at=NOW, updated_at=NOW
            )
    filter_ = {"match": "all", "conditions": [{"field": "email", "operator": "contains", "value": "other"}]}
    services.create_segment(workspace=room, name="Others", filter=filter_, actor=make_actor(), now=NOW)
    make_contact(make_workspace(organization=room.organization), "ada@neighbour.com")
    make_contact(make_workspace(), "ada@stranger.com")
    return room


def answers(contact: Contact, search: str) -> bool:
    words = " ".join([contact.first_name, contact.last_name, contact.email or ""]).lower().replace("ö", "o")
    return all(any(word.startswith(part) for word in words.split()) for part in search.split())


def expected(room: Workspace, selection: Selection) -> list[int]:
    """Work it out one by one."""
    people = Contact.objects.filter(links__workspace=room).order_by("-pk")
    return [
        one.pk
        for one in people
        if answers(one, selection.search)
        and (not selection.tag or one.tag_links.exists())
        and (selection.list_id is None or one.memberships.exists())
        and (selection.segment_id is None or "other" in str(one.email))
    ]


def walk_through(room: Workspace, selection: Selection, size: int) -> list[int]:
    """Read the whole table downwards, part by part, and check that the way up shows the same parts."""
    parts, stretch = [], Stretch(size=size)
    while True:
        shown = selectors.browse_contacts(workspace=room, selection=selection, stretch=stretch)
        parts.append([one.pk for one in shown.items])
        assert shown.has_newer == (len(parts) > 1)
        if not shown.has_older:
            break
        stretch = Stretch(before=parts[-1][-1], size=size)
    for above, below in pairwise(parts):
        up = selectors.browse_contacts(workspace=room, selection=selection, stretch=Stretch(after=below[0], size=size))
        assert [one.pk for one in up.items] == above
        assert up.has_older
    return [pk for part in parts for pk in part]


@pytest.mark.parametrize("walk", [0, 1, 7, 3_000])
def test_walking_and_looking_up_find_the_same_people_in_the_same_order(
    room: Workspace, walk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "WALK", walk)
    list_id = List.objects.get(workspace=room).pk
    segment_id = selectors.list_segments(workspace=room)[0].pk
    for selection in (
        Selection(),
        Selection(search="a"),
        Selection(search="ad b"),
        Selection(search="bjork"),
        Selection(search="p1", tag="some"),
        Selection(search="zzz"),
        Selection(search="ada", list_id=list_id),
        Selection(search="b", tag="SOME", list_id=list_id),
        Selection(tag="some", list_id=list_id),
        Selection(segment_id=segment_id),
        Selection(search="b", segment_id=segment_id, tag="some"),
    ):
        right = expected(room, selection)
        assert walk_through(room, selection, 4) == right, selection
        assert selectors.count_people(workspace=room, selection=selection) == len(right)
        assert selectors.count_people(workspace=room, selection=selection, at_most=3) == min(3, len(right))
        chosen = selectors.select_people(workspace=room, selection=selection)
        assert sorted(chosen.values_list("pk", flat=True)) == sorted(right)


def test_with_an_index_of_trigrams_the_middle_of_a_word_is_found_too(
    room: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = make_contact(room, "countess_100%@engines.example")

    def found(search: str) -> list[int]:
        shown = selectors.browse_contacts(workspace=room, selection=Selection(search=search), stretch=Stretch())
        return [one.pk for one in shown.items]

    for typed in ("ntess", "ntess gine", "gines.exam", "tess_1", "00%@eng"):
        monkeypatch.setattr(words, "has_infix_index", lambda: False)
        assert found(typed) == []
        monkeypatch.setattr(words, "has_infix_index", lambda: True)
        assert found(typed) == [ada.pk]
    for typed in ("nt", "tess-1", "tess%1", "!!!", "ntess zzz"):
        assert found(typed) == []


@pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="needs a server with pg_trgm")
def test_the_index_of_trigrams_is_the_one_that_is_asked(room: Workspace) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute(words.MAKE_INFIX_INDEX.replace("CONCURRENTLY ", ""))
        cursor.execute("SET LOCAL enable_seqscan = off")
        words.has_infix_index.cache_clear()
        try:
            people = Contact.objects.filter(words.answers_search("ngine"))
            assert "contact_infix" in people.explain()
        finally:
            words.has_infix_index.cache_clear()


def test_what_the_workspace_does_not_have_selects_nobody(room: Workspace) -> None:
    other = make_workspace()
    theirs = make_list(other, make_contact(other))
    filter_ = {"match": "all", "conditions": [{"field": "email", "operator": "is_set"}]}
    segment = services.create_segment(workspace=other, name="All", filter=filter_, actor=make_actor(), now=NOW)
    for selection in (
        Selection(tag="nothing"),
        Selection(tag="\0"),
        Selection(list_id=theirs.pk),
        Selection(search="!"),
    ):
        assert selectors.count_people(workspace=room, selection=selection) == 0
        shown = selectors.browse_contacts(workspace=room, selection=selection, stretch=Stretch())
        assert shown == directory.Shown((), False, False)
    with pytest.raises(NoSuchSegment):
        selectors.count_people(workspace=room, selection=Selection(segment_id=segment.pk))


def test_numbered_pages_sort_as_told_with_the_nameless_last(room: Workspace) -> None:
    make_contact(room, None)
    for order, key in (
        (ContactOrder("email", True), lambda one: (one.email is None, one.email or "", one.pk)),
        (ContactOrder("first_name", True), lambda one: (one.first_name == "", one.first_name, one.pk)),
        (ContactOrder("created_at", True), lambda one: one.pk),
    ):
        everybody: list[Contact] = []
        for number in (1, 2, 3, 4):
            page = selectors.list_contacts(workspace=room, page=PageRequest(number, 20, with_total=True), order=order)
            assert page.total == 61
            everybody += page.items
        ascending: Callable[[Contact], object] = key
        assert [one.pk for one in everybody] == [one.pk for one in sorted(everybody, key=ascending)]  # type: ignore[type-var]
        assert len({one.pk for one in everybody}) == 61


def test_a_part_of_the_table_costs_the_same_however_long(room: Workspace) -> None:
    costs = set()
    words.has_infix_index()  # asked once in the life of a process
    for size in (1, 5, 50):
        with CaptureQueriesContext(connection) as queries:
            shown = selectors.browse_contacts(
                workspace=room, selection=Selection(search="p"), stretch=Stretch(size=size)
            )
            assert [[tag.tag.name for tag in one.tag_links.all()] for one in shown.items]
            assert [[link.status for link in one.links.all()] for one in shown.items]
        assert len(shown.items) == size
        costs.add(len(queries))
    assert costs == {5}
