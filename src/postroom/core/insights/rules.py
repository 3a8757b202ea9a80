"""Packs what is known of a person into a file for them: once for a program, once for their own eyes."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime

from postroom.kit.types import JSONObject, JSONValue

_INDENT = "    "


def pack_personal_data(data: JSONObject, *, holder: str, now: datetime) -> bytes:
    """Return a ZIP archive: ``my-data.json`` and the same as ``my-data.txt``; ``holder`` is who keeps the records."""
    head: JSONObject = {"held_by": holder, "written_at": now.isoformat()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("my-data.json", json.dumps({**head, **data}, indent=2, ensure_ascii=False))
        archive.writestr("my-data.txt", write_readable(data, holder=holder, now=now))
    return out.getvalue()


def write_readable(data: JSONObject, *, holder: str, now: datetime) -> str:
    """Return the data as plain text: a heading for each section, a block for each entry."""
    lines = [f"What {holder} knows of you", f"Written on {now:%d %B %Y at %H:%M} UTC", ""]
    for name, section in data.items():
        lines += [_words(name), "=" * len(_words(name)), *_section(section), ""]
    return "\r\n".join(lines)


def _section(section: JSONValue) -> Iterator[str]:
    entries = section if isinstance(section, list) else [section]
    if not entries:
        yield "Nothing."
    for number, entry in enumerate(entries):
        if number:
            yield ""
        yield from _lines(entry if isinstance(entry, Mapping) else {"": entry})


def _lines(entry: Mapping[str, JSONValue], indent: str = "") -> Iterator[str]:
    for name, value in entry.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_words(name)}:"
            yield from _lines(value, indent + _INDENT)
        elif value not in (None, "", {}, []):
            yield f"{indent}{_words(name)}: {_value(value)}"


def _value(value: JSONValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
