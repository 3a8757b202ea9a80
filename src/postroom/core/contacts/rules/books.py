"""Decisions about lists that programs keep as contact books: their words, their variables, what members bring along."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Final

from postroom.core.contacts.errors import BadValue
from postroom.core.contacts.rules.texts import clean_line
from postroom.core.contacts.types import BookChanges, ListTerms
from postroom.kit.types import UNSET

DEFAULT_EMOJI: Final = "📙"
DEFAULT_SUBJECT: Final = "Please confirm your subscription"
DEFAULT_DOCUMENT: Final = json.dumps(
    {
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Hello,"}]},
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "please confirm that you want to hear from us."}],
            },
            {"type": "button", "attrs": {"text": "Confirm", "url": "{{doubleOptInUrl}}", "alignment": "left"}},
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "If you did not ask for this, you need not do anything."}],
            },
        ],
    }
)
CONFIRM_URL: Final = "doubleOptInUrl"
"""What stands in a confirmation's document where its link goes."""

MAX_VARIABLES: Final = 100
MAX_PROPERTIES: Final = 65_536
"""Characters of all properties together, as JSON."""
RESERVED: Final = frozenset(("email", "firstname", "lastname"))

_VARIABLE: Final = re.compile(r"[A-Za-z0-9_]{1,100}", re.ASCII)
_PLACEHOLDER: Final = re.compile(r"\{\{\s{0,20}" + CONFIRM_URL + r"\s{0,20}\}\}", re.IGNORECASE)
_VARIABLE_NODE: Final = re.compile(r'"id"\s{0,20}:\s{0,20}"' + CONFIRM_URL + '"', re.IGNORECASE)


def changed_terms(terms: ListTerms, changes: BookChanges) -> ListTerms:
    """Return the terms of a book as ``changes`` has them; a blank subject or document is the default one."""
    said = {name: value for name, value in asdict(changes).items() if value is not UNSET}
    for name, default in (("confirm_subject", DEFAULT_SUBJECT), ("confirm_document", DEFAULT_DOCUMENT)):
        if name in said and not said[name].strip():
            said[name] = default
    return replace(terms, **said)


def clean_variables(names: Iterable[str]) -> tuple[str, ...]:
    """Return names of variables, each once ignoring case, as it is first spelled. Raises BadValue."""
    kept: dict[str, str] = {}
    for name in map(str.strip, names):
        if not _VARIABLE.fullmatch(name):
            raise BadValue(
                f"A variable has letters, digits and underscores, at most 100: not {name[:80]!r}.", field="variables"
            )
        if name.lower() in RESERVED:
            raise BadValue(f"Every contact has {name!r} already; a variable needs another name.", field="variables")
        kept.setdefault(name.lower(), name)
    if len(kept) > MAX_VARIABLES:
        raise BadValue(f"A list has at most {MAX_VARIABLES} variables, not {len(kept)}.", field="variables")
    return tuple(kept.values())


def clean_properties(properties: Mapping[str, str]) -> dict[str, str]:
    """Return properties as they can be kept. Raises BadValue when they are too many."""
    size = len(json.dumps(dict(properties), ensure_ascii=False))
    if size > MAX_PROPERTIES:
        raise BadValue(f"The properties have {size} characters; at most {MAX_PROPERTIES} fit.", field="properties")
    return dict(properties)


def spell_keys(properties: Mapping[str, str], variables: Iterable[str]) -> dict[str, str]:
    """Return properties under the spelling of the variables they mean, whatever the case of their keys."""
    known = {name.lower(): name for name in variables}
    return {known.get(key.lower(), key): value for key, value in properties.items()}


def has_confirm_url(document: str) -> bool:
    """Return whether a document holds the link that confirms."""
    return bool(_PLACEHOLDER.search(document) or _VARIABLE_NODE.search(document))


def number_name(name: str, number: int, *, max_length: int = 200) -> str:
    """Return a name told apart by a number: ``News (2)``."""
    end = f" ({number})"
    return clean_line(name[: max_length - len(end)], label="Name") + end
