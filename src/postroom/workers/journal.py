"""A sender's journal on local disk: what left and what was answered, in a form that survives the sender's death.

Each sender has a directory named after itself, whose ``lock`` it holds (flock) as long as it lives, also while stopped.
Each claim has a file of its own there, gone once its results are in the database. A line is written before a body
leaves (``W``) and after the answer (``A``; earlier releases wrote ``R``, with two marks less); its pages are the
kernel's and survive the process. The machine's own death may lose some: the lock file names the boot it belongs to, and
a reader of another boot knows.
"""

import fcntl
import json
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from postroom.core.mail.ports import Handover, JournalReading, Outcome, Result

_LOCK: Final = "lock"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_ROOM: Final = 128 * 1024
_CONTROLS: Final = {number: " " for number in range(32)}


class JournalBroken(OSError):
    """The journal cannot be written; nothing may leave any more."""


class ClaimJournal:
    """The file of one claim, written through shared memory: no call into the kernel, and still there after a kill.

    A line's first octet is stored last, so a line is there whole or not at all. The room on the disk is taken before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            _take_room(handle, _ROOM)
            self._pages = mmap.mmap(handle, _ROOM)
        finally:
            os.close(handle)
        self._end = 0

    def note_leaving(self, message_id: int) -> None:
        """Note that the body of a message leaves now. Raises JournalBroken; then it must not."""
        self._write(b"W\t%d\n" % message_id)

    def note_ending(self, handover: Handover) -> None:
        """Note how the hand-over of a message ended. Raises JournalBroken."""
        self._write(_write_ending(handover))

    def remove(self) -> None:
        """Forget the claim: its results are in the database."""
        self._pages.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _write(self, line: bytes) -> None:
        start, end = self._end, self._end + len(line)
        if end > len(self._pages):
            self._grow(end)
        self._pages[start + 1 : end] = line[1:]
        self._pages[start] = line[0]
        self._end = end

    def _grow(self, end: int) -> None:
        size = max(end, 2 * len(self._pages))
        handle = os.open(self._path, os.O_RDWR)
        try:
            _take_room(handle, size)
            self._pages.resize(size)
        finally:
            os.close(handle)


def _take_room(handle: int, size: int) -> None:
    """Have the disk set octets aside: a full one is an error now instead of a fault at the first touch."""
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        raise JournalBroken(f"The journal cannot be written: {error.strerror}.") from error


class Journal:
    """The directory of one living sender."""

    def __init__(self, root: Path, owner: str) -> None:
        self.owner = owner
        self._path = root / owner
        self._numbers = count()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Locked before it gets its name, so that nobody ever finds it unlocked.
        hidden = root / f".{owner}"
        hidden.mkdir(mode=0o700)
        self._lock = os.open(hidden / _LOCK, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.write(self._lock, _boot_id().encode())
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        hidden.rename(self._path)

    def open_claim(self) -> ClaimJournal:
        """Return a file for one more claim."""
        return ClaimJournal(self._path / f"{next(self._numbers):09d}")

    def close(self) -> None:
        """Let go; the directory goes too when no claim is left in it."""
        if os.listdir(self._path) == [_LOCK]:
            shutil.rmtree(self._path)
        os.close(self._lock)


@dataclass(frozen=True, slots=True)
class AbandonedJournal:
    """What a dead sender left; locked while its reader works on it."""

    owner: str
    reading: JournalReading
    path: Path

    def remove(self) -> None:
        """Forget it: everything in it is in the database."""
        shutil.rmtree(self.path)


def abandoned_journals(root: Path) -> Iterator[AbandonedJournal]:
    """Yield each dead sender's journal, locked until the next is asked for, so that no two processes replay one."""
    for path in sorted(root.glob("[!.]*")) if root.is_dir() else ():
        with _dead_lock(path) as is_ours:
            if is_ours:
                yield AbandonedJournal(owner=path.name, reading=_read(path), path=path)


@contextmanager
def _dead_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a directory whose sender is dead; False when it lives, or the directory is gone by now."""
    try:
        handle = os.open(path / _LOCK, os.O_RDWR)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.fstat(handle).st_nlink > 0
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


def _read(path: Path) -> JournalReading:
    entries: dict[int, Handover | None] = {}
    for file in sorted(path.iterdir()):
        if file.name != _LOCK:
            entries.update(_read_entries(file.read_bytes()))
    return JournalReading(entries=entries, is_complete=(path / _LOCK).read_text() == _boot_id())


def _read_entries(octets: bytes) -> dict[int, Handover | None]:
    """Return what a file says, up to the first zero; a last line that was torn off is as good as not written."""
    entries: dict[int, Handover | None] = {}
    written, _, _ = octets.partition(b"\x00")
    whole, _, _ = written.rpartition(b"\n")
    for line in whole.decode("utf-8", "replace").split("\n"):
        kind, _, rest = line.partition("\t")
        if kind == "W":
            entries[int(rest)] = None
        elif kind in ("A", "R"):
            handover = _read_ending(rest if kind == "A" else _as_now(rest))
            entries[handover.message_id] = handover
    return entries


def _as_now(rest: str) -> str:
    """Return what an older release wrote with the marks it did not know, which stand behind the fourth field."""
    fields = rest.split("\t", 4)
    return "\t".join((*fields[:4], "0", "0.0", fields[4]))


def _write_ending(handover: Handover) -> bytes:
    result = handover.result or Result(Outcome.FAILED)
    replies = json.dumps(result.recipient_replies) if result.recipient_replies else ""
    fields = (result.enhanced, result.provider_id, replies, result.text)
    line = "\t".join(field.translate(_CONTROLS) for field in fields)
    numbers = f"{handover.message_id}\t{handover.at!r}\t{result.outcome.value}\t{result.code}"
    marks = f"{result.is_relayed:d}\t{result.safe_until!r}"
    return f"A\t{numbers}\t{marks}\t{line}\n".encode("utf-8", "replace")


def _read_ending(rest: str) -> Handover:
    number, at, outcome, code, relayed, safe_until, enhanced, provider_id, replies, text = rest.split("\t", 9)
    result = Result(
        outcome=Outcome(outcome),
        code=int(code),
        enhanced=enhanced,
        text=text,
        provider_id=provider_id,
        recipient_replies=tuple((to, reply, said) for to, reply, said in json.loads(replies or "[]")),
        is_relayed=relayed == "1",
        safe_until=float(safe_until),
    )
    return Handover(message_id=int(number), at=float(at), result=result)


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"
