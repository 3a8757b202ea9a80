"""Looks for texts inside texts, in the database and in files."""

import re
from collections.abc import Iterable
from typing import IO, Final

_CHUNK: Final = 1024 * 1024
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def like_patterns(needles: Iterable[str]) -> list[str]:
    """Return patterns for ``ILIKE ANY``: each matches whatever holds the needle, whatever its case."""
    return [f"%{needle.translate(_ESCAPES)}%" for needle in needles]


def word_patterns(needles: Iterable[str]) -> list[str]:
    """Return patterns for ``~* ANY``, as PostgreSQL has them: each matches the needle where it stands by itself.

    bob@example.com is no part of jimbob@example.com, nor of bob@example.com.au.
    """
    escaped = (re.sub(r"([^\w\s])", r"\\\1", needle) for needle in needles if needle)
    return [rf"(?<![[:alnum:]_.+%-]){needle}(?![[:alnum:]_-]|\.[[:alnum:]])" for needle in escaped]


def text_holds(text: str, needles: Iterable[str]) -> bool:
    """Return whether one of the needles stands by itself in a text, as ``word_patterns`` finds it."""
    patterns = (rf"(?<![\w.+%-]){re.escape(needle)}(?![\w-]|\.\w)" for needle in needles if needle)
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)


def file_holds(file: IO[bytes], needles: Iterable[str]) -> bool:
    """Return whether a file holds one of the needles, in UTF-8 or UTF-16, whatever its case; a chunk at a time."""
    lower = [needle.lower() for needle in needles if needle]
    wanted = [octets for needle in lower for octets in (needle.encode(), needle.encode("utf-16-le"))]
    overlap = max(map(len, wanted), default=0)
    tail = b""
    while wanted and (chunk := file.read(_CHUNK)):
        window = tail + chunk.lower()
        if any(octets in window for octets in wanted):
            return True
        tail = window[-overlap:]
    return False
