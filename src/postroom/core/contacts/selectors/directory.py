"""Reads of the table of people: searched and filtered, newest first, at the same cost for a hundred and for a million.

A word that many have is met soon by walking from the newest; one that few have is quickest by the index of words, which
cannot read in any order. So the newest are walked first, and the index is asked when that did not fill the page.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F, Prefetch, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import NullIf

from postroom.core.contacts.models import Contact, ContactTag, ContactWorkspace, ListMember
from postroom.core.contacts.rules.search import search_query
from postroom.core.contacts.selectors.selections import Keys, select_people, tag_ids
from postroom.core.contacts.types import ContactOrder, Selection
from postroom.core.workspaces.models import Workspace
from postroom.kit.paging import Page, PageRequest, fetch_page

NEWEST_FIRST: Final = ContactOrder()
WALK: Final = 3_000
"""How many people are looked at one after the other before the index of words is asked."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a part of the table begins or ends: people older than ``before``, or newer than ``after``, by key."""

    before: int | None = None
    after: int | None = None
    size: int = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of the table, newest first, and whether there is more of it at either end."""

    items: tuple[Contact, ...]
    has_newer: bool
    has_older: bool


def browse_contacts(*, workspace: Workspace, selection: Selection, stretch: Stretch) -> Shown:
    """Return some of the people selected, their ``links`` and ``tag_links`` of this workspace loaded.

    Any part of the table costs the same. Raises NoSuchSegment, BadFilter.
    """
    keys = _keys(workspace, selection, stretch)
    has_more, keys = len(keys) > stretch.size, keys[: stretch.size]
    if stretch.after is not None and not has_more:  # the first page is shown whole, not what is left of it
        return browse_contacts(workspace=workspace, selection=selection, stretch=Stretch(size=stretch.size))
    rows = _with_marks(Contact.objects.filter(pk__in=keys).order_by("-pk"), workspace)
    is_back = stretch.after is not None
    return Shown(tuple(rows), has_more if is_back else stretch.before is not None, has_more or is_back)


def list_contacts(
    *,
    workspace: Workspace,
    search: str = "",
    list_id: int | None = None,
    tag: str | None = None,
    segment_id: int | None = None,
    page: PageRequest,
    order: ContactOrder = NEWEST_FIRST,
) -> Page[Contact]:
    """Return a numbered page of people, newest first unless told otherwise, with what ``browse_contacts`` loads.

    Every word of ``search`` must begin a word of a person's names, company or address. Raises NoSuchSegment, BadFilter.
    """
    selection = Selection(search=search, tag=tag or "", list_id=list_id, segment_id=segment_id)
    keys = fetch_page(_sorted_keys(workspace, selection, order), PageRequest(page.number, page.size))
    found = _with_marks(Contact.objects.filter(pk__in=keys.items), workspace).in_bulk()
    total = count_people(workspace=workspace, selection=selection) if page.with_total else None
    return Page(tuple(found[key] for key in keys.items if key in found), page.number, page.size, keys.has_next, total)


def count_people(*, workspace: Workspace, selection: Selection, at_most: int | None = None) -> int:
    """Return how many people are selected; counting stops at ``at_most``. Raises NoSuchSegment, BadFilter."""
    if selection == Selection():
        return ContactWorkspace.objects.filter(workspace=workspace)[:at_most].count()
    return select_people(workspace=workspace, selection=selection).values("pk")[:at_most].count()


def _keys(workspace: Workspace, selection: Selection, stretch: Stretch) -> list[int]:
    """Return one key more than the page takes, newest first, or oldest first when looking towards the newer."""
    is_back = stretch.after is not None
    if search_query(selection.search) or selection.segment_id is not None:
        walked = _walk(workspace, selection, stretch)
        if walked is not None:
            return walked
        aside = F("pk") + 0  # an order that no index has: all who answer are found before any is sorted
        order = aside.asc() if is_back else aside.desc()
    else:
        order = F("pk").asc() if is_back else F("pk").desc()
    people = select_people(workspace=workspace, selection=selection, keys=_range(stretch))
    return list(people.order_by(order).values_list("pk", flat=True)[: stretch.size + 1])


def _walk(workspace: Workspace, selection: Selection, stretch: Stretch) -> list[int] | None:
    """Return the keys when the next ``WALK`` people fill the page or nobody comes after them, else None."""
    is_back, keys = stretch.after is not None, _range(stretch)
    way = _way(workspace, selection).filter(**keys.within("contact_id"))
    ahead = way.order_by("contact_id" if is_back else "-contact_id").values_list("contact_id", flat=True)
    end = next(iter(ahead[WALK : WALK + 1]), None)
    if end is not None:
        keys = Keys(keys.above, end + 1) if is_back else Keys(end - 1, keys.below)
    people = select_people(workspace=workspace, selection=selection, keys=keys, is_walked=True)
    found = list(people.order_by("pk" if is_back else "-pk").values_list("pk", flat=True)[: stretch.size + 1])
    return found if end is None or len(found) > stretch.size else None


def _way(workspace: Workspace, selection: Selection) -> QuerySet[Any]:
    """Return the shortest list of links that leads past everybody who can be selected."""
    if selection.tag:
        return ContactTag.objects.filter(tag_id__in=tag_ids(workspace=workspace, name=selection.tag))
    if selection.list_id is not None:
        return ListMember.objects.filter(list_id=selection.list_id, list__workspace=workspace)
    return ContactWorkspace.objects.filter(workspace=workspace)


def _range(stretch: Stretch) -> Keys:
    return Keys(above=stretch.after, below=stretch.before)


def _sorted_keys(workspace: Workspace, selection: Selection, order: ContactOrder) -> QuerySet[Any, int]:
    if selection == Selection() and order.by == "created_at":  # from the links' index alone, however deep
        links = ContactWorkspace.objects.filter(workspace=workspace).values_list("contact_id", flat=True)
        return links.order_by("contact_id" if order.is_ascending else "-contact_id")
    people = select_people(workspace=workspace, selection=selection)
    return people.order_by(*_sorted_by(order)).values_list("pk", flat=True)


def _sorted_by(order: ContactOrder) -> tuple[OrderBy, ...]:
    """The key says when somebody came, and decides between equals."""
    key = F("pk").asc() if order.is_ascending else F("pk").desc()
    if order.by == "created_at":
        return (key,)
    text = F(order.by) if order.by == "email" else NullIf(F(order.by), Value(""))
    return (text.asc(nulls_last=True) if order.is_ascending else text.desc(nulls_last=True), key)


def _with_marks(rows: QuerySet[Contact], workspace: Workspace) -> QuerySet[Contact]:
    links = ContactWorkspace.objects.filter(workspace=workspace)
    tags = ContactTag.objects.filter(tag__workspace=workspace).select_related("tag").order_by(F("tag__name"))
    return rows.defer("search").prefetch_related(Prefetch("links", links), Prefetch("tag_links", tags))
