"""What a person said about mail to them, from the history of consent: the word, the topic, the door, the proof."""

from collections.abc import Iterable
from typing import Final

from django.db.models import Q

from postroom.core.contacts.models import ConsentChange
from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.selectors.timeline_people import name_actor
from postroom.core.insights.types import TimelineEntry, TimelineKind

_ON_LIST: Final = {
    "subscribed": "Subscribed to the list {}",
    "pending": "Confirmation awaited for the list {}",
    "unsubscribed": "Left the list {}",
}
_ON_CATEGORY: Final = {
    "granted": "Said yes to {}",
    "withdrawn": "Said no to {}",
    "absent": "Word on {} taken back",
}
_ON_ALL: Final = {
    "opted_out": "Opted out of this workspace's mail",
    "opted_in": "Wants this workspace's mail again",
    "opted_out_all": "Opted out of everything",
    "opted_in_all": "Wants mail again",
}


def list_words(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return the newest words behind the cut: those on lists, those on categories and on everything."""
    asked = Q()
    if scope.wants(TimelineKind.LISTS):
        asked |= Q(list__workspace=scope.workspace)
    if scope.wants(TimelineKind.CONSENT):
        everywhere = Q(workspace=None) | Q(workspace=scope.workspace) | Q(state__endswith="_all")
        asked |= Q(category__workspace=scope.workspace) | Q(everywhere, category=None, list=None)
    if not asked:
        return []
    behind = Q(at__lt=cut.at) | Q(at=cut.at, pk__lt=cut.number)
    changes = ConsentChange.objects.filter(asked, behind, contact=scope.contact)
    changes = changes.select_related("list", "category", "user").order_by("-at", "-pk")[:limit]
    return [Row(change.at, cut.source, change.pk, lambda change=change: _show(change)) for change in changes]  # type: ignore[misc]


def _show(change: ConsentChange) -> TimelineEntry:
    proof = [f"{key.replace('_', ' ')}: {value}" for key, value in change.proof.items() if value not in ("", None)]
    return TimelineEntry(
        change.at,
        f"consent.{change.state}",
        _title(change),
        detail=" · ".join(part for part in (change.source, *proof) if part),
        who=name_actor(change.user, change.door),
    )


def _title(change: ConsentChange) -> str:
    if change.list is not None:
        return _ON_LIST.get(change.state, "Place on the list {} changed").format(change.list.name)
    if change.category is not None:
        return _ON_CATEGORY.get(change.state, "Word on {} changed").format(change.category.name)
    return _ON_ALL.get(change.state, change.state.replace("_", " ").capitalize())
