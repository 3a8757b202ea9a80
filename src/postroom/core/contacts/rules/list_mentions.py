"""Whether a segment's filter speaks of a list: by its name or its uid, at any depth."""

from collections.abc import Iterator, Mapping

from postroom.kit.types import JSONValue


def mentions_list(filter_: JSONValue, *, name: str, uid: str) -> bool:
    """Return whether some condition on lists names this one."""
    wanted = {name.lower(), uid.lower()}
    return any(
        str(value).lower() in wanted
        for condition in _conditions(filter_)
        if condition.get("field") in {"list", "lists"}
        for value in _values(condition.get("value"))
    )


def _conditions(node: JSONValue) -> Iterator[Mapping[str, JSONValue]]:
    if isinstance(node, list):
        for one in node:
            yield from _conditions(one)
    elif isinstance(node, dict):
        yield node
        yield from _conditions(node.get("conditions"))


def _values(value: JSONValue) -> list[JSONValue]:
    return value if isinstance(value, list) else [value]
