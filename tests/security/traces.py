"""Looks for words in every column of every table, in every file under a directory, and in texts, however written."""

import base64
import json
import quopri
import zipfile
from collections.abc import Iterable
from pathlib import Path

from django.db import connection

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, ordinal_position
"""


def spellings(word: str) -> set[str]:
    """Return the ways in which a word may stand somewhere: plain, escaped, quoted-printable, base64, in hex."""
    found = {word, json.dumps(word)[1:-1], quopri.encodestring(word.encode()).decode().replace("=\n", "")}
    for octets in {word.encode(), word.lower().encode(), word.upper().encode()}:
        found.add(octets.hex())
        found |= {_inner_base64(octets, shift) for shift in range(3)}
    return found


def find_in_tables(words: Iterable[str]) -> dict[str, set[str]]:
    """Return for each word the columns that hold it."""
    found: dict[str, set[str]] = {word: set() for word in words}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column, kind in cursor.fetchall():
            if not _column_holds(cursor, table, column, kind, *found):
                continue  # all at once first: most columns hold none
            for word in found:
                if _column_holds(cursor, table, column, kind, word):
                    found[word].add(f"{table}.{column}")
    return found


def find_in_files(words: Iterable[str], *roots: Path) -> dict[str, set[str]]:
    """Return for each word the files that hold it, those inside ZIP archives too."""
    texts = {
        name: octets for root in roots for path in root.rglob("*") if path.is_file() for name, octets in _read(path)
    }
    return {word: {name for name, octets in texts.items() if _octets_hold(octets, word)} for word in words}


def _column_holds(cursor: object, table: str, column: str, kind: str, *words: str) -> bool:
    is_octets = kind == "bytea"
    text = f"encode(\"{column}\", 'hex')" if is_octets else f'"{column}"::text'
    forms = {form for word in words for form in (_octet_spellings(word) if is_octets else spellings(word))}
    patterns = [f"%{form}%" for form in forms]
    cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE {text} ILIKE ANY(%s))', [patterns])  # type: ignore[attr-defined]
    return bool(cursor.fetchone()[0])  # type: ignore[attr-defined]


def _octet_spellings(word: str) -> set[str]:
    forms = {form for one in (word, word.lower(), word.upper(), word.title()) for form in spellings(one)}
    return {form.encode().hex() for form in forms} | {word.encode("utf-16-le").hex()}


def _octets_hold(octets: bytes, word: str) -> bool:
    low = octets.lower()
    return any(form.lower().encode() in low for form in spellings(word)) or word.encode("utf-16-le") in octets


def _read(path: Path) -> list[tuple[str, bytes]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return [(f"{path}:{name}", archive.read(name)) for name in archive.namelist()]
    return [(str(path), path.read_bytes())]


def _inner_base64(octets: bytes, shift: int) -> str:
    """Return the letters that stay the same whatever stands around ``octets`` in a longer text."""
    encoded = base64.b64encode(bytes(shift) + octets + bytes(3)).decode()
    start = -(-shift * 8 // 6)
    return encoded[start : (shift + len(octets)) * 8 // 6]
