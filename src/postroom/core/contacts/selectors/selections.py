"""Reads of selections: which people of a workspace somebody chose, one by one or by what they look for."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from postroom.core.contacts.models import Contact, List, Tag
from postroom.core.contacts.selectors.segments import get_segment_by_id, matching_ids
from postroom.core.contacts.selectors.words import answers_search
from postroom.core.contacts.types import Selection
from postroom.core.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Keys:
    """A range of people by key: those ``above`` one and ``below`` another, both exclusive."""

    above: int | None = None
    below: int | None = None

    def within(self, column: str) -> dict[str, int]:
        """Return the range as a filter of a column that holds the key."""
        ends = {f"{column}__gt": self.above, f"{column}__lt": self.below}
        return {name: key for name, key in ends.items() if key is not None}


EVERY_KEY: Final = Keys()


def select_people(
    *, workspace: Workspace, selection: Selection, keys: Keys = EVERY_KEY, is_walked: bool = False
) -> QuerySet[Contact]:
    """Return the people of a selection, unordered, each once. Raises NoSuchSegment, BadFilter.

    A tag or a list that the workspace does not have selects nobody. ``is_walked`` says that ``keys`` holds so few
    people that asking each of them beats the index of words.
    """
    # Every table is told the range: through a join alone the planner reads one of them from its end.
    people = Contact.objects.filter(
        organization_id=workspace.organization_id,
        erased_at=None,
        links__workspace=workspace,
        **keys.within("links__contact_id"),
        **keys.within("pk"),
    )
    if selection.uids:
        people = people.filter(uid__in=selection.uids)
    if (asked := answers_search(selection.search, one_by_one=is_walked)) is not None:
        people = people.filter(asked)
    if selection.tag:
        tags = tag_ids(workspace=workspace, name=selection.tag)
        people = people.filter(tag_links__tag_id__in=tags, **keys.within("tag_links__contact_id"))
    if selection.list_id is not None:
        lists = List.objects.filter(workspace=workspace, pk=selection.list_id).values_list("pk", flat=True)
        people = people.filter(memberships__list_id__in=list(lists), **keys.within("memberships__contact_id"))
    if selection.segment_id is not None:
        segment = get_segment_by_id(workspace=workspace, segment_id=selection.segment_id)
        people = people.filter(pk__in=matching_ids(workspace=workspace, filter_=segment.filter))
    return people


def tag_ids(*, workspace: Workspace, name: str) -> list[int]:
    """Return the key of the tag of this name, ignoring case; at most one, as the unique rule has it."""
    found = Tag.objects.filter(workspace=workspace, name__iexact=name.replace("\0", ""))
    return list(found.values_list("pk", flat=True)[:1])
