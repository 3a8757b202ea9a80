"""Says in words which people a selection means."""

from typing import TYPE_CHECKING

from postroom.core.contacts import selectors as contacts
from postroom.core.contacts.types import Selection
from postroom.kit.errors import NotFound

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace


def describe_selection(*, workspace: "Workspace", selection: Selection) -> str:
    """Return the selection in words: ``contacts tagged “vip”, on the list “News”``."""
    parts = []
    if selection.uids:
        parts.append("picked one by one" if len(selection.uids) > 1 else "picked by hand")
    if selection.search:
        parts.append(f"found by “{selection.search}”")
    if selection.tag:
        parts.append(f"tagged “{selection.tag}”")
    if selection.list_id is not None:
        parts.append(_list_words(workspace, selection.list_id))
    if selection.segment_id is not None:
        parts.append(_segment_words(workspace, selection.segment_id))
    return f"contacts {', '.join(parts)}" if parts else "all contacts of the workspace"


def _list_words(workspace: "Workspace", list_id: int) -> str:
    try:
        return f"on the list “{contacts.get_list(workspace=workspace, list_id=list_id).name}”"
    except NotFound:
        return "on a list that is gone"


def _segment_words(workspace: "Workspace", segment_id: int) -> str:
    try:
        return f"in the segment “{contacts.get_segment_by_id(workspace=workspace, segment_id=segment_id).name}”"
    except NotFound:
        return "in a segment that is gone"
