"""What the builder's pages work with: the workspace's questions, and the tree that a form sends or a filter shows."""

from typing import TYPE_CHECKING

from postroom.core.campaigns import selectors as campaigns
from postroom.core.contacts import selectors as contacts
from postroom.web.segments.questions import Question, questions_for
from postroom.web.segments.tree import Branch, from_filter, start_tree

if TYPE_CHECKING:
    from postroom.core.contacts.models import Segment
    from postroom.kit.types import JSONObject
    from postroom.web.shared.rooms import Room


def load_questions(room: "Room") -> list[Question]:
    """Return everything that can be asked in a workspace."""
    workspace = room.workspace
    return questions_for(
        fields=contacts.list_fields(workspace=workspace),
        tags=contacts.list_tags(workspace=workspace),
        lists=contacts.list_lists(workspace=workspace),
        categories=contacts.list_categories(workspace=workspace),
    )


def load_mailings(room: "Room") -> dict[str, str]:
    """Return the names of what was sent, by uid, newest first."""
    return {str(one.uid): one.name for one in campaigns.list_mailings(workspace=room.workspace)}


def first_tree(filter_: "JSONObject | None", questions: list[Question]) -> Branch:
    """Return what a new segment begins with: an example's question, or one condition to fill in."""
    return (filter_ and from_filter(filter_, questions)) or start_tree(questions)


def describe_use(room: "Room", segment: "Segment") -> dict[str, object]:
    """Return what a saved segment's page shows besides its question."""
    return {
        "campaigns": campaigns.list_campaigns_for_segment(workspace=room.workspace, segment_id=segment.pk),
        "sizes": contacts.list_segment_sizes(segment=segment),
    }
