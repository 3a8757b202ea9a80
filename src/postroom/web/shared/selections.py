"""Reading whom an address of ours means: the filters of the contact table, or people ticked one by one."""

from django.http import QueryDict

from postroom.core.contacts.errors import NoSuchContact, NoSuchList, NoSuchSegment
from postroom.core.contacts.types import Selection
from postroom.kit.ids import parse_uuid
from postroom.web.shared.query import whole_number


def read_filters(query: QueryDict) -> Selection:
    """Return the filters of the contact table: ``q``, ``tag``, ``list``, ``segment``.

    Raises NoSuchList or NoSuchSegment for what is no number: what is not understood is never read as "everybody".
    """
    list_id, segment_id = whole_number(query.get("list")), whole_number(query.get("segment"))
    if query.get("list") and list_id is None:
        raise NoSuchList
    if query.get("segment") and segment_id is None:
        raise NoSuchSegment
    return Selection(search=_text(query, "q"), tag=_text(query, "tag"), list_id=list_id, segment_id=segment_id)


def read_selection(query: QueryDict) -> Selection:
    """Return those ticked, each a ``uid``; with ``all``, or with nobody ticked, all whom the filters let through.

    Raises NoSuchContact when none of the uids is one, and what ``read_filters`` raises.
    """
    filters = read_filters(query)
    if query.get("all") or "uid" not in query:
        return filters
    uids = tuple(str(uid) for text in query.getlist("uid") if (uid := parse_uuid(text)))
    if not uids:
        raise NoSuchContact
    return Selection(uids=uids)


def _text(query: QueryDict, name: str) -> str:
    """Return a text as it can be stored; what cannot is still something, for nothing would mean everybody."""
    return query.get(name, "")[:300].replace("\0", "\ufffd")
