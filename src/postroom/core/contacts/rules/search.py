"""The words by which people are found while somebody types, in any script, and the question those words make.

PostgreSQL gets the words ready made (``array_to_tsvector``): its own dictionaries know neither all scripts nor names.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_WORDS: Final = 60
MAX_LENGTH: Final = 80
MAX_QUERY_WORDS: Final = 6
MAX_QUERY_LENGTH: Final = 300
MIN_INFIX: Final = 3

# Letters that Unicode does not take apart, as people without them on the keyboard type them.
_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
# Scripts that put no spaces between words, and Korean, where the given name follows the family's without one.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aad\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\ua9e0-\ua9fe"
    "\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\U00016fe0-\U00018cff\U0001b000-\U0001b2ff\U00020000-\U0003ffff"
)
_PIECE: Final = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_ASCII_PIECE: Final = re.compile("[a-z0-9]+")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_NOBODY: Final = "'!'"


def search_words(*, email: str | None, first_name: str, last_name: str, company: str) -> list[str]:
    """Return the folded words by which a person is found, each once: those of names and company, the address as a
    whole, the pieces of its local part, and its domain with what stands under it. Every one is meant to be looked up
    by its beginning; texts without spaces come as overlapping pairs of letters.
    """
    words = [word for text in (first_name, last_name, company) if text for word in _text_words(text)]
    if email:
        words += _address_words(email.lower() if email.isascii() else fold(email))
    return [word[:MAX_LENGTH] for word in dict.fromkeys(words)][:MAX_WORDS]


def search_query(text: str) -> str:
    """Return what was typed as a ``tsquery``: every word of it must begin a word of the person.

    Empty when nothing was typed. What has no letter or digit in it finds nobody; never everybody.
    """
    typed = fold(text[:MAX_QUERY_LENGTH]).split()
    parts = [part for part in map(_query_part, typed[:MAX_QUERY_WORDS]) if part]
    return " & ".join(parts) if parts else _NOBODY if text.strip() else ""


def infix_patterns(text: str) -> list[str]:
    """Return what was typed as patterns of LIKE, each to be found anywhere within a person's words.

    None at all when a word is too short for an index of trigrams.
    """
    typed = fold(text[:MAX_QUERY_LENGTH]).split()[:MAX_QUERY_WORDS]
    words = [token.strip("\"'\\%_()<>,;").replace("\0", "") for token in typed]
    if not all(len(word) >= MIN_INFIX and any(map(str.isalnum, word)) for word in words):
        return []
    return [f"%{_escape(word[:MAX_LENGTH])}%" for word in words]


def fold(text: str) -> str:
    """Return a text without case, accents, vowel signs and invisible marks, in one width."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    bare = "".join(one for one in apart if not _is_mark(one))
    return unicodedata.normalize("NFC", bare)


def _is_mark(one: str) -> bool:
    category = unicodedata.category(one)
    return category[0] == "M" or category in {"Cf", "Cs"}


@lru_cache(maxsize=16_384)
def _text_words(text: str) -> tuple[str, ...]:
    """Names and companies repeat themselves, in an import of a million most of all."""
    return tuple(_ascii_words(text.lower()) if text.isascii() else _words(fold(text)))


def _ascii_words(line: str) -> list[str]:
    words: list[str] = []
    for token in line.split():
        if token.isalnum():
            words.append(token)
        else:
            words += _token_words(token, _ASCII_PIECE)
    return words


def _words(line: str) -> list[str]:
    words: list[str] = []
    for token in line.split():
        for piece in _token_words(token, _PIECE):
            words += _pairs(piece) if _IS_UNSPACED.match(piece) else [piece]
    return words


def _token_words(token: str, piece: re.Pattern[str]) -> list[str]:
    """O'Brien-Smith is found as Brien, OBrien, Smith and OBrienSmith."""
    pieces = piece.findall(token)
    if len(pieces) < 2 or _IS_UNSPACED.search(token):
        return pieces
    without = piece.findall(token.replace("'", "").replace("\u2019", ""))
    return [*pieces, *without, "".join(pieces)]


def _pairs(run: str) -> list[str]:
    """Return overlapping pairs and the last letter: with these, any part of the run is found by its beginning."""
    return [*(run[at : at + 2] for at in range(len(run) - 1)), run[-1]]


def _address_words(email: str) -> list[str]:
    local, _, domain = email.rpartition("@")
    words = [email]
    if not local.isalnum():
        words += _PIECE.findall(local)
    words.append(domain)
    while domain.count(".") > 1:
        domain = domain.partition(".")[2]
        words.append(domain)
    return words


def _query_part(token: str) -> str:
    """Return one typed word: as it stands in an address, or in pieces as it stands in a name."""
    pieces = _PIECE.findall(token)
    if not pieces:
        return ""
    whole = token[token.index(pieces[0]) :]
    if "@" in whole:
        return _begins(whole)
    apart = " & ".join(_piece_query(piece) for piece in pieces)
    if whole == pieces[0]:
        return apart
    joined = [_begins("".join(pieces))] if len(pieces) > 1 else []
    return f"({' | '.join([_begins(whole), *joined, f'({apart})'])})"


def _piece_query(piece: str) -> str:
    if len(piece) == 1 or not _IS_UNSPACED.match(piece):
        return _begins(piece)
    return " & ".join(_quote(pair) for pair in _pairs(piece)[:-1][:MAX_WORDS])


def _escape(word: str) -> str:
    """Quotes stand doubled in the text of a ``tsvector``, backslashes too."""
    stored = word.replace("\\", "\\\\").replace("'", "''")
    return stored.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _begins(word: str) -> str:
    return f"{_quote(word)}:*"


def _quote(word: str) -> str:
    """Return the word so that nothing in it means anything to the reader of a ``tsquery``."""
    escaped = word[:MAX_LENGTH].replace("\\", "\\\\").replace("'", "''").replace("\0", "")
    return f"'{escaped}'"
