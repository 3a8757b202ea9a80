"""Placeholders as programs write them, ``{{firstName, fallback=there}}``, made into Liquid; other braces stay words."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from postroom.core.mail.rules.compose.literal import quote_liquid

CONTACT: Final[Mapping[str, str]] = {"email": "email", "firstName": "first_name", "lastName": "last_name"}
"""What every contact has, and its name in templates."""

PROPERTIES: Final = "properties"
"""The slot that holds what a list knows of its member beside that."""

_WAY_OUT: Final = "unsubscribe_url"
_WAYS_OUT: Final = ("usesend_unsubscribe_url", "unsend_unsubscribe_url")
_PLACEHOLDER: Final = re.compile(
    r"\{\{\s{0,9}(?:contact\.)?(\w{1,100})\s{0,9}(?:,\s{0,9}fallback\s{0,9}=([^{}]*))?\}\}", re.IGNORECASE | re.ASCII
)
_PLAIN_NAME: Final = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
_SPECIAL: Final = frozenset(("size", "first", "last", "empty", "blank", "nil", "null", "true", "false"))
_NOT_LITERAL: Final = re.compile(r"\}\}|\{\{|%\}|\{%|\n")
_LONGEST_LITERAL: Final = 500


def name_variables(custom: Collection[str] = ()) -> dict[str, str]:
    """Return each name that mail to a list may use, the ``custom`` ones of the list included, with its Liquid path."""
    own = {name: _property(name) for name in custom}
    return {**own, **CONTACT, **dict.fromkeys(_WAYS_OUT, _WAY_OUT)}


def to_liquid(text: str, *, variables: Mapping[str, str], filters: str = "") -> str:
    """Return a template that says ``text`` with the known placeholders filled in, whatever their case.

    ``variables`` maps names to Liquid paths; every other brace means nothing. What follows ``fallback=`` is said as it
    stands where there is no value, so in HTML it is HTML. ``filters`` is put behind every variable.
    """
    paths = {name.lower(): path for name, path in variables.items()}
    parts: list[str] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        path = paths.get(found[1].lower())
        if path is not None:
            parts += [_quote(text[position : found.start()]), print_variable(path, (found[2] or "").strip(), filters)]
            position = found.end()
    return "".join([*parts, quote_liquid(text[position:])])


def print_variable(path: str, fallback: str = "", filters: str = "") -> str:
    """Return the Liquid that says the variable at ``path``, or ``fallback`` as it stands where it is empty."""
    if not fallback:
        return f"{{{{ {path}{filters} }}}}"
    mark = next((mark for mark in "\"'" if mark not in fallback), "")
    if mark and len(fallback) <= _LONGEST_LITERAL and not _NOT_LITERAL.search(fallback):
        return f"{{{{ {path} | default: {mark}{fallback}{mark}{filters} }}}}"
    # A literal of Liquid has no escapes, and an output is short.
    said = f"{{{{ {path}{filters} }}}}"
    return f'{{% if {path} and {path} != "" %}}{said}{{% else %}}{_quote(fallback)}{{% endif %}}'


def has_way_out(text: str) -> bool:
    """Return whether ``text`` holds a placeholder of the unsubscribe link."""
    return any(found[1].lower() in _WAYS_OUT for found in _PLACEHOLDER.finditer(text))


def _property(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _SPECIAL:
        return f"{PROPERTIES}.{name}"
    return f'{PROPERTIES}["{name}"]'


def _quote(words: str) -> str:
    """As ``quote_liquid``, for words that Liquid may follow: their last brace must not begin it."""
    before = words.rstrip("{")
    braces = words[len(before) :]
    return quote_liquid(before) + (f"{{% raw %}}{braces}{{% endraw %}}" if braces else "")
