"""What a person said about mail to them, from the history of consent: the word, the topic, the door, the proof."""

from collections.abc import Iterable

from django.db.models import Q

from postroom.core.contacts.models import ConsentChange
from postroom.core.contacts.rules.consent_words import say_change, say_proof
from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.selectors.timeline_people import name_actor
from postroom.core.insights.types import TimelineEntry, TimelineKind


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
    what = say_change(
        change.state,
        list_name=change.list.name if change.list else "",
        category_name=change.category.name if change.category else "",
    )
    return TimelineEntry(
        change.at,
        f"consent.{change.state}",
        what,
        detail=" · ".join(part for part in (change.source, say_proof(change.proof)) if part),
        who=name_actor(change.user, change.door),
    )
