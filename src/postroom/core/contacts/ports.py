"""What the contacts app asks of the apps above it: where it is written what became of people's mail, to forget a
person who is erased, and whether the mail of a double opt-in can be sent as its author wants it.

Higher apps say so once, in ``apps.ready``, where deeds stand as pieces of SQL; a segment is then one statement over
tables whose models this app does not know.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from postroom.core.contacts.types import Deed, ErasedPerson

if TYPE_CHECKING:
    from postroom.core.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class DeedRows:
    """Where the deeds of one kind stand: ``source`` is what comes between FROM and further ANDs, without parameters.

    It calls its table ``x``, which has ``workspace_id``, ``contact_id`` and ``batch_id`` (the mailing it was about);
    ``at`` is the expression for when it happened.
    """

    source: str
    at: str


@dataclass(frozen=True, slots=True)
class LetterRules:
    """What mail must be like: who a workspace may send as, and which editor documents can be sent. Each raises Invalid,
    or NotPermitted.
    """

    check_from: Callable[["Workspace", str, datetime], None]
    check_document: Callable[[str], None]


Scrub = Callable[[ErasedPerson, datetime], bool]
"""Takes a person out of an app's tables and files. Safe to repeat; False when it must be called again for the rest."""

_deeds: Final[dict[Deed, DeedRows]] = {}
_campaigns: Final[dict[str, str]] = {}
_scrubs: Final[list[Scrub]] = []
_letters: Final[dict[str, LetterRules]] = {}


def provide_deeds(rows: Mapping[Deed, DeedRows]) -> None:
    """Say where deeds stand; for ``apps.ready`` of the app that writes them down."""
    _deeds.update(rows)


def provide_campaigns(query: str) -> None:
    """Say which mailing was whose: a query for ``uid`` and ``batch_id`` of campaigns; parameters: workspace, uids."""
    _campaigns["query"] = query


def deed_rows(deed: Deed) -> DeedRows:
    """Return where the deeds of one kind stand."""
    return _deeds[deed]


def campaign_query() -> str:
    """Return the query that ``provide_campaigns`` was given."""
    return _campaigns["query"]


def on_erasure(scrub: Scrub) -> None:
    """Have ``scrub`` called for every person who is erased; for ``apps.ready`` of an app that holds data of people."""
    if scrub not in _scrubs:
        _scrubs.append(scrub)


def erasure_scrubs() -> tuple[Scrub, ...]:
    """Return what ``on_erasure`` was given."""
    return tuple(_scrubs)


def provide_letter_rules(rules: LetterRules) -> None:
    """Say what mail must be like; for ``apps.ready`` of the app that sends it."""
    _letters["rules"] = rules


def letter_rules() -> LetterRules:
    """Return what ``provide_letter_rules`` was given."""
    return _letters["rules"]
