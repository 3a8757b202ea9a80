"""Several names in one cell: joined by semicolons, quoted as CSV quotes where a name needs it."""

import re
from collections.abc import Iterable
from typing import Final

_NEEDS_QUOTES: Final = re.compile(r'[;,"=\r\n]|^\s|\s$')
# A quoted part with whatever a state adds to it, or everything up to the next break.
_PART: Final = re.compile(r'\s*("(?:[^"]|"")*"[^;,]*|[^;,]*)(?:[;,]|\Z)')
_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"\s*(?:=\s*(.*))?', re.DOTALL)


def join_cells(names: Iterable[str]) -> str:
    """Return the names as one cell; ``split_cells`` gives them back."""
    return ";".join(map(_quoted, names))


def split_cells(cell: str) -> list[str]:
    """Return the names of a cell, blank ones left out; commas break as well, as people type them."""
    if '"' not in cell:
        return [name for part in re.split("[;,]", cell) if (name := part.strip())]
    names = (_unquoted(match) if (match := _QUOTED.fullmatch(part)) else part for part in _parts(cell))
    return [name for name in names if name]


def join_states(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with their states as one cell: ``News=subscribed;"a; b"=pending``."""
    return ";".join(f"{_quoted(name)}={state}" for name, state in pairs)


def split_states(cell: str) -> list[tuple[str, str]]:
    """Return the names of a cell with their states; a name that says none has an empty one."""
    return [pair for part in _parts(cell) if (pair := _read_state(part))[0]]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if _NEEDS_QUOTES.search(name) else name


def _unquoted(match: re.Match[str]) -> str:
    return match[1].replace('""', '"')


def _parts(cell: str) -> list[str]:
    found, at = [], 0
    while at < len(cell):
        match = _PART.match(cell, at)
        assert match is not None  # its last branch takes anything
        found.append(match[1].strip())
        at = match.end()
    return found


def _read_state(part: str) -> tuple[str, str]:
    if match := _QUOTED.fullmatch(part):
        return _unquoted(match), (match[2] or "").strip()
    name, equals, state = part.rpartition("=")
    return (name.strip(), state.strip()) if equals else (part, "")
