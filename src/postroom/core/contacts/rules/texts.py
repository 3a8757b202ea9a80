"""Cleans what people paste into cells and forms: invisible marks, control characters, stray spaces."""

import re
import unicodedata
from typing import Final

from postroom.core.contacts.errors import BadValue

# Direction marks, zero-width spaces and byte order marks hide or reorder text. The joiners U+200C and U+200D stay:
# emoji and Persian are spelled with them.
_INVISIBLE: Final = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL: Final = re.compile(r"[\x01-\x08\x0b-\x1f\x7f-\x9f]")
_SPACES: Final = re.compile(r"\s+")


def clean_line(text: str, *, label: str, max_length: int = 200) -> str:
    """Return a one-line text without invisible marks, spaces collapsed. Raises BadValue when too long or with a NUL."""
    if len(text) <= max_length and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    if not (text.isascii() and text.isprintable()):
        _refuse_unstorable(text, label)
        text = _CONTROL.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text)))
    if "  " in text or not text.isprintable():
        text = _SPACES.sub(" ", text)
    return _checked_length(text.strip(), label, max_length)


def clean_text(text: str, *, label: str, max_length: int = 10_000) -> str:
    """Return a text that may have several lines. Raises BadValue when too long or with a NUL."""
    if not (text.isascii() and text.isprintable()):
        _refuse_unstorable(text, label)
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).replace("\r\n", "\n").replace("\r", "\n")
        text = _CONTROL.sub(" ", text)
    return _checked_length(text.strip(), label, max_length)


def _refuse_unstorable(text: str, label: str) -> None:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair."""
    if "\0" in text:
        raise BadValue(f"{label} has a NUL character in it.", field=label)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"{label} has a character in it that is not text.", field=label) from error


def _checked_length(text: str, label: str, max_length: int) -> str:
    if len(text) > max_length:
        raise BadValue(f"{label} has {len(text)} characters; at most {max_length} fit.", field=label)
    return text
