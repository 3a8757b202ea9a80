"""Reading SMTP replies: octets to (code, text), and the final word on an envelope to a Result."""

import re
from collections.abc import Iterator
from typing import Final

from postroom.core.mail.ports import Outcome, Result

Reply = tuple[int, bytes]
"""A reply code and its text; the lines of a longer reply are parted by LF."""

MAX_LINE: Final = 4096
"""RFC 5321 section 4.5.3.1.5 allows 512 octets; real servers write more."""

MAX_REPLY: Final = 64 * 1024
"""The longest reply of several lines we are ready to hold."""

_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_QUEUE_ID = re.compile(rb"queued as (?:id )?<?([^\s<>;,]{1,128})", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")
_MAX_TEXT: Final = 500


class BadReply(Exception):
    """The server said something that is no SMTP reply."""


class ReplyReader:
    """Cuts a stream of octets into replies. Holds at most ``MAX_LINE`` + ``MAX_REPLY`` octets."""

    __slots__ = ("_held", "_rest", "_size")

    def __init__(self) -> None:
        self._rest = b""
        self._held: list[bytes] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a further reply has been read."""
        return not self._rest and not self._held

    def feed(self, octets: bytes) -> Iterator[Reply]:
        """Yield the replies that ``octets`` complete. Raises BadReply, after the good ones before it."""
        *lines, self._rest = (self._rest + octets).split(b"\n")
        for line in lines:
            mark = line[3:4]
            if len(line) < 3 or not line[:3].isdigit() or mark not in b" -\r" or not b"2" <= line[:1] <= b"5":
                raise BadReply(f"a line that is no reply: {clean(line)[:80]!r}")
            if mark == b"-" or self._held:
                yield from self._hold(line)
            else:
                yield int(line[:3]), line[4:].rstrip()
        if len(self._rest) > MAX_LINE:
            raise BadReply("a reply line that does not end")

    def _hold(self, line: bytes) -> Iterator[Reply]:
        """Keep a line of a longer reply; its code must stay the same (RFC 5321 section 4.2.1)."""
        code, text = line[:3], line[4:].rstrip()
        if not self._held:
            self._held.append(code)
        elif self._held[0] != code:
            raise BadReply("a reply that changes its code half-way")
        self._held.append(text)
        self._size += len(text) + 64  # 64: an empty line must cost something too
        if self._size > MAX_REPLY:
            raise BadReply("a reply that does not end")
        if line[3:4] != b"-":
            held, self._held, self._size = self._held, [], 0
            yield int(code), b"\n".join(held[1:])


class OpeningReplies:
    """The good answers to MAIL, one RCPT and DATA that came in one piece; each is read once and known from then on."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def read(self, octets: bytes) -> str:
        """Return the three replies line by line, or nothing when ``octets`` are anything but 250, 250 and 354."""
        known = self._known.get(octets)
        if known is not None:
            return known
        lines = octets.split(b"\r\n")
        if len(lines) != 4 or lines[3] or octets.count(b"\n") != 3 or len(octets) > MAX_LINE:
            return ""
        if lines[0][:4] != b"250 " or lines[1][:4] != b"250 " or lines[2][:4] != b"354 ":
            return ""
        said = "".join(f"{verb}: {clean(line)}\n" for verb, line in zip(_VERBS, lines, strict=False))
        if len(octets) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[octets] = said
        return said


_VERBS: Final = ("MAIL", "RCPT", "DATA")
_MOST_KNOWN: Final = 64
_LONGEST_KNOWN: Final = 512
"""What is longer tells of this one message, and will not be said again."""


def clean(text: bytes) -> str:
    """Return a server's words as one printable line of bounded length."""
    if len(text) <= _MAX_TEXT and text.isascii() and (words := text.decode("ascii")).isprintable():
        return words.strip()
    return _UNPRINTABLE.sub(" ", text[: 4 * _MAX_TEXT].decode("utf-8", "replace")).strip()[:_MAX_TEXT]


def read_result(code: int, text: bytes, recipient_replies: tuple[tuple[str, int, str], ...] = ()) -> Result:
    """Return what a 2xx, 4xx or 5xx reply means for an envelope (RFC 5321 section 4.2.1, RFC 2034)."""
    outcome = Outcome.SENT if code < 300 else Outcome.DEFERRED if code < 500 else Outcome.FAILED
    enhanced, words = split_enhanced(code, text)
    queued = _QUEUE_ID.search(text) if code < 300 else None
    return Result(outcome, code, enhanced, words, clean(queued[1]) if queued else "", recipient_replies)


def split_enhanced(code: int, text: bytes) -> tuple[str, str]:
    """Part the RFC 3463 status from the words; a status of another class than ``code`` is not believed."""
    match = _ENHANCED.match(text)
    if match is None or match[1][0] != ord(str(code)[0]):
        return "", clean(text)
    status = match[1]
    words = text[match.end() :]
    if b"\n" in words:
        words = b" ".join(line.removeprefix(status).strip() for line in words.split(b"\n"))
    return status.decode("ascii"), clean(words)
