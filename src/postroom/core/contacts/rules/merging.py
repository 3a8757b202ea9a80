"""How two records of one person become one: whose value stays, and that the stricter word always wins."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from postroom.core.contacts.errors import BadMerge
from postroom.core.contacts.rules.import_rows import LINE_LENGTHS
from postroom.core.contacts.types import ConsentState, FieldChoice, FieldSpec, MemberStatus, Side, SubscriptionStatus
from postroom.core.contacts.types.merging import is_empty
from postroom.kit.types import JSONObject, JSONValue

_STATUSES: Final = (SubscriptionStatus.NEUTRAL, SubscriptionStatus.SUBSCRIBED, SubscriptionStatus.UNSUBSCRIBED)
_LABELS: Final = {"email": "E-mail", "timezone": "Time zone"}
CUSTOM: Final = "custom."


class Record(Protocol):
    """What is merged of a person."""

    email: str | None
    custom: JSONObject


def list_choices(
    survivor: Record, other: Record, specs: Iterable[FieldSpec], choices: Mapping[str, Side]
) -> list[FieldChoice]:
    """Return every field in which one of the two says something, and whose value stays: the one chosen, else the
    survivor's, or the other's where the survivor says nothing.

    Raises BadMerge for a choice of a field that is none, or of a value that is empty.
    """
    labels = {spec.key: spec.label for spec in specs}
    pairs = [(name, _LABELS.get(name, name.replace("_", " ").capitalize())) for name in ("email", *LINE_LENGTHS)]
    keys = [*labels, *sorted((survivor.custom.keys() | other.custom.keys()) - labels.keys())]
    pairs += [(f"{CUSTOM}{key}", labels.get(key, key)) for key in keys]
    found = [_choose(key, label, _value(survivor, key), _value(other, key), choices.get(key)) for key, label in pairs]
    if unknown := choices.keys() - {key for key, _ in pairs}:
        raise BadMerge(f"There is no field {min(unknown)!r} to choose for.")
    return [choice for choice in found if not (is_empty(choice.survivor) and is_empty(choice.other))]


def _choose(key: str, label: str, mine: JSONValue, theirs: JSONValue, wish: Side | None) -> FieldChoice:
    if wish is None:
        wish = "other" if is_empty(mine) and not is_empty(theirs) else "survivor"
    elif is_empty(theirs if wish == "other" else mine) and not is_empty(mine if wish == "other" else theirs):
        raise BadMerge(f"{label}: an empty value cannot take the place of another; change it after the merge.")
    return FieldChoice(key, label, mine, theirs, wish)


def _value(record: Record, key: str) -> JSONValue:
    if key.startswith(CUSTOM):
        return record.custom.get(key.removeprefix(CUSTOM))
    value: JSONValue = getattr(record, key)
    return value


def strictest_status(one: str, other: str) -> SubscriptionStatus:
    """Return where the person stands with a workspace: whoever left it, left it."""
    return max(SubscriptionStatus(one), SubscriptionStatus(other), key=_STATUSES.index)


def strictest_membership(kept: str, given_up: str) -> MemberStatus:
    """Return where the person stands with a list: whoever left it under either address, left it; a confirmation counts
    for the address it was given for, so else the record whose address is ``kept`` decides.
    """
    if MemberStatus.UNSUBSCRIBED in (kept, given_up):
        return MemberStatus.UNSUBSCRIBED
    return MemberStatus(kept)


def strictest_consent(one: str, other: str) -> ConsentState:
    """Return the person's word on a category: a no is a no."""
    return ConsentState.WITHDRAWN if ConsentState.WITHDRAWN in (one, other) else ConsentState(one)
