"""The life of one person in a workspace: what was sent to them, what they did, what was changed, by whom."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from postroom.core.contacts import selectors as contacts
from postroom.core.insights.selectors.timeline_acts import list_acts
from postroom.core.insights.selectors.timeline_arrivals import list_arrivals
from postroom.core.insights.selectors.timeline_cuts import Cut, Row, Scope, newest_first
from postroom.core.insights.selectors.timeline_mail import list_deeds, list_mails
from postroom.core.insights.selectors.timeline_notes import list_notes
from postroom.core.insights.selectors.timeline_words import list_words
from postroom.core.insights.types import Timeline, TimelineKind
from postroom.core.workspaces.models import Workspace

MAX_SIZE: Final = 200

# The place in this line decides between entries of the same instant.
_SOURCES: Final = (list_arrivals, list_acts, list_words, list_mails, list_deeds, list_notes)


def contact_timeline(
    *,
    workspace: Workspace,
    contact_uid: UUID,
    kinds: Collection[TimelineKind] = (),
    before: str = "",
    size: int = 50,
    viewer_id: int | None = None,
) -> Timeline:
    """Return what happened with a person, newest first, as this workspace knows it: ``size`` entries at most, of the
    ``kinds`` asked for (none: all), older than where the ``next`` of an earlier stretch stood. Raises NoSuchContact.

    Each source gives its newest entries behind the cut, so a stretch is exact whatever their mixture, and the last one
    costs no more than the first. Private notes are shown to the user ``viewer_id`` alone, who wrote them.
    """
    contact = contacts.get_contact(workspace=workspace, uid=contact_uid)
    scope = Scope(
        workspace=workspace,
        contact=contact,
        person_ids=tuple(contacts.list_person_ids(contact=contact)),
        kinds=frozenset(kinds) or frozenset(TimelineKind),
        viewer_id=viewer_id,
    )
    size = min(max(1, size), MAX_SIZE)
    cut = Cut.read(before)
    rows: list[Row] = []
    for number, source in enumerate(_SOURCES):
        rows += source(scope, cut.of(number), size + 1)
    rows.sort(key=newest_first, reverse=True)
    shown = rows[:size]
    return Timeline(entries=tuple(row.show() for row in shown), next=Cut.write(shown[-1]) if len(rows) > size else "")
