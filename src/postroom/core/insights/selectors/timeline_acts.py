"""Changes of a person's record, tags, companies and address, from the facts the core wrote, with who did it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from postroom.core.contacts.models import Account, Tag
from postroom.core.events import selectors as events
from postroom.core.events.types import Event
from postroom.core.insights.selectors.timeline_cuts import Row, Scope, SourceCut
from postroom.core.insights.selectors.timeline_people import name_actor
from postroom.core.insights.types import Reference, TimelineEntry, TimelineKind
from postroom.core.workspaces.models import AuditEntry
from postroom.kit.types import JSONValue

_TITLES: Final = {
    TimelineKind.CHANGES: {
        "contact.updated": "Details changed",
        "contact.merged": "Merged with another record",
    },
    TimelineKind.LISTS: {
        "contact.tagged": "Tag added",
        "contact.untagged": "Tag removed",
        "list.confirmation_wanted": "Asked to confirm a list",
    },
    TimelineKind.ACCOUNTS: {
        "account.contact_linked": "Joined a company",
        "account.contact_unlinked": "Left a company",
    },
    TimelineKind.CONSENT: {
        "contact.suppressed": "Address suppressed",
        "contact.unsuppressed": "Suppression lifted",
    },
}
_ALL_TITLES: Final = {name: title for titles in _TITLES.values() for name, title in titles.items()}

_Act = tuple[str, str, int | None, datetime]


@dataclass(slots=True)
class _Background:
    """What the entries of one stretch have in common to ask for: who acted, and what things are called."""

    acts: Mapping[_Act, AuditEntry]
    tags: Mapping[int, str]
    accounts: Mapping[int, Account]


def list_acts(scope: Scope, cut: SourceCut, limit: int) -> Iterable[Row]:
    """Return the newest facts behind the cut."""
    names = [name for kind in scope.kinds for name in _TITLES.get(kind, ())]
    if not names:
        return []
    facts = events.list_contact_events(
        workspace=scope.workspace, contact_id=scope.contact.pk, limit=limit, names=names, before=(cut.at, cut.number)
    )
    background = _load_background(scope, facts)
    return [Row(fact.at, cut.source, fact.id, lambda fact=fact: _show(fact, background)) for fact in facts]  # type: ignore[misc]


def _show(fact: Event, background: _Background) -> TimelineEntry:
    account = background.accounts.get(_number(fact, "account_id"))
    act = background.acts.get((fact.name, fact.object_type, fact.object_id, fact.at))
    return TimelineEntry(
        fact.at,
        fact.name,
        _ALL_TITLES[fact.name],
        detail=_describe_changes(act) or _describe(fact, background),
        who=name_actor(act.user, act.door) if act else "",
        about=Reference("account", account.uid) if account else None,
    )


def _describe_changes(act: AuditEntry | None) -> str:
    """Return what was and what is, one changed field a line."""
    if (
        act is None
        or act.act != "contact.updated"
        or not isinstance(act.before, dict)
        or not isinstance(act.after, dict)
    ):
        return ""
    before, after = _flat(act.before), _flat(act.after)
    changed = [key for key in (before | after) if before.get(key) != after.get(key)]
    return "\n".join(f"{key.replace('_', ' ')}: {_say(before.get(key))} → {_say(after.get(key))}" for key in changed)


def _flat(values: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    """Custom values stand beside the others."""
    custom = values.get("custom")
    return {key: value for key, value in values.items() if key != "custom"} | (
        dict(custom) if isinstance(custom, dict) else {}
    )


def _say(value: JSONValue) -> str:
    if value is None or value in ("", []):
        return "–"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _describe(fact: Event, background: _Background) -> str:
    """Return what an event's own data says that a person understands."""
    changed = fact.data.get("changed")
    if isinstance(changed, list):
        return ", ".join(str(name).replace("_", " ") for name in changed)
    if fact.name.startswith("account."):
        account = background.accounts.get(_number(fact, "account_id"))
        return account.name if account else ""
    if "tag_id" in fact.data:
        return background.tags.get(_number(fact, "tag_id"), "")
    word = fact.data.get("reason")
    return word.replace("_", " ") if isinstance(word, str) else ""


def _number(fact: Event, key: str) -> int:
    value = fact.data.get(key)
    return value if isinstance(value, int) else 0


def _load_background(scope: Scope, facts: list[Event]) -> _Background:
    tag_ids = {_number(fact, "tag_id") for fact in facts} - {0}
    account_ids = {_number(fact, "account_id") for fact in facts} - {0}
    tags = Tag.objects.filter(workspace=scope.workspace, pk__in=tag_ids) if tag_ids else ()
    accounts = Account.objects.filter(workspace=scope.workspace, pk__in=account_ids) if account_ids else ()
    return _Background(
        acts=_find_acts(scope, facts),
        tags={tag.pk: tag.name for tag in tags},
        accounts={account.pk: account for account in accounts},
    )


def _find_acts(scope: Scope, facts: list[Event]) -> dict[_Act, AuditEntry]:
    """A fact and its audit row are written in one act: the same name, thing and instant."""
    if not facts:
        return {}
    rows = AuditEntry.objects.filter(
        workspace=scope.workspace,
        object_type__in={fact.object_type for fact in facts},
        object_id__in={fact.object_id for fact in facts},
        at__in={fact.at for fact in facts},
    )
    return {(row.act, row.object_type, row.object_id, row.at): row for row in rows.select_related("user")}
