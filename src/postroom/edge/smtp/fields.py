"""The header of a handed-over mail (RFC 5322), read leniently: what cannot be understood is left out."""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from typing import Final

from postroom.core.mail.errors import BadAddress, BadHeader, BadMessage
from postroom.core.mail.rules.headers import MAX_VALUE, check_email, check_header, check_shown, show_address
from postroom.kit.mime import clean_line

MAX_HEADER: Final = 128 * 1024
MAX_OWN_FIELDS: Final = 100
ORIGINAL_ID: Final = "X-Original-Message-ID"

_LINE_END: Final = re.compile(rb"\r?\n")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
_FOLDS: Final = re.compile(r"\r?\n(?=[ \t])")
_OURS: Final = frozenset(
    {"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id", "sender", "mime-version"}
    | {"return-path", "received", "delivered-to", "x-usesend-email-id", ORIGINAL_ID.lower()}
)
"""What is told elsewhere or written anew, so that leaving it out of the extra fields is no loss."""


class Fields:
    """The fields of one mail, unfolded, in order."""

    def __init__(self, mail: Message) -> None:
        self._all = [(name, _FOLDS.sub("", read_octets(str(value)))) for name, value in mail.raw_items()]

    def text(self, name: str) -> str:
        """Return a field as a person reads it, empty without one."""
        found = next((value for field, value in self._all if field.lower() == name), "")
        return clean_line(decode_words(found))

    def mailboxes(self, name: str) -> list[tuple[str, str]]:
        """Return ``name <address>`` and the address for each that the fields of this name hold."""
        values = [value for field, value in self._all if field.lower() == name]
        found: list[tuple[str, str]] = []
        for display, address in getaddresses(values):
            try:
                email = check_email(address)
                text = show_address(clean_line(decode_words(display)), email)
                check_shown((text,))
                found.append((text, email))
            except BadAddress:
                continue
        return found

    def own(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """Return the extra fields that may go along, and the names of those that may not. Raises BadMessage."""
        kept: dict[str, str] = {}
        refused: dict[str, None] = {}
        seen: set[str] = set()
        for name, raw in self._all:
            lowered, value = name.lower(), clean_line(decode_words(raw))
            if lowered in _OURS or lowered.startswith("content-"):
                continue
            value = _shorten(value) if lowered == "references" else value
            if lowered not in seen and _is_fit(name, value):
                kept[name] = value
            else:
                refused[name] = None
            seen.add(lowered)
        if (number := self.text("message-id")) and _is_fit(ORIGINAL_ID, number):
            kept[ORIGINAL_ID] = number
        if len(kept) > MAX_OWN_FIELDS:
            raise BadMessage(f"A message takes {MAX_OWN_FIELDS} extra header fields at most.")
        return kept, tuple(refused)


def mend_lines(header: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a header without the lines that begin no field (RFC 5322, section 2.2), at which a parser would take the
    rest for the body, and what those lines begin with.
    """
    kept: list[bytes] = []
    unreadable: list[str] = []
    follows = False
    for line in _LINE_END.split(header):
        if line[:1] in (b" ", b"\t"):
            if follows:
                kept.append(line)
        elif found := _FIELD.match(line):
            kept.append(found[1] + b":" + line[found.end() :])
            follows = True
        else:
            unreadable.append(line.partition(b":")[0][:40].decode("utf-8", "replace"))
            follows = False
    return b"\r\n".join(kept), tuple(filter(None, unreadable))


def read_octets(value: str) -> str:
    """Return what the parser kept of raw octets as text: UTF-8 (RFC 6532), or else Latin-1, as old clients have it."""
    octets = value.encode("ascii", "surrogateescape") if not value.isascii() else b""
    if not octets:
        return value
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def decode_words(text: str) -> str:
    """Return ``text`` with its encoded-words (RFC 2047) decoded, or as it is where they cannot be."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def _is_fit(name: str, value: str) -> bool:
    try:
        check_header(name, value)
    except BadHeader:
        return False
    return True


def _shorten(references: str) -> str:
    """Keep the first and the last of a long thread (RFC 5322, section 3.6.4, leaves that to us)."""
    if len(references) <= MAX_VALUE:
        return references
    first, *rest = references.split()
    kept: list[str] = []
    room = MAX_VALUE - len(first)
    for one in reversed(rest):
        room -= len(one) + 1
        if room < 0:
            break
        kept.append(one)
    return " ".join([first, *reversed(kept)])
