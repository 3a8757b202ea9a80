"""Records that wait on the local disk for something that is away: written by many processes, read back by any.

A spool is a directory of segments. Each is a file of one writer, who holds its lock (flock) as long as it may append;
a segment that nobody holds is complete, whether its writer closed it or died. A record is one line: its signature, then
its octets. Whatever is torn or was tampered with is skipped up to the end of its line.
"""

import fcntl
import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from postroom.kit.crypto import MAC_SIZE, keyed_hash, unsign
from postroom.kit.errors import Unavailable

_PURPOSE: Final = "spool"
_ENDING: Final = ".records"
_HEX: Final = 2 * MAC_SIZE


class SpoolFull(Unavailable):
    """As much is waiting on this disk as this machine will keep; try again in a moment."""

    code = "spool_full"


@dataclass(frozen=True, slots=True)
class Segment:
    """What a complete segment holds, in the order it was written, and how many records of it cannot be believed."""

    records: list[bytes]
    broken: int
    path: Path = field(repr=False)

    def remove(self) -> None:
        """Forget it: everything in it is where it belongs."""
        self.path.unlink(missing_ok=True)


class Spool:
    """One process's way into the spool in ``directory``; for one thread at a time."""

    def __init__(self, directory: Path, *, capacity: int, segment_size: int = 4 * 1024 * 1024) -> None:
        self._directory = directory
        self._capacity = capacity
        self._segment_size = segment_size
        self._handle: int | None = None
        self._written = 0
        self._used = 0

    def append(self, records: Iterable[bytes]) -> None:
        """Return once ``records`` (without line ends) are on the disk. Raises SpoolFull and OSError; then all of them
        are to be given again, and those that are there already will be read twice.
        """
        octets = b"".join(map(_write, records))
        if self._handle is None:
            self._open()
        if self._used + len(octets) > self._capacity:
            raise SpoolFull
        try:
            _write_all(self._handle, octets)  # type: ignore[arg-type]
        except OSError:
            self.seal()  # its last line may be torn
            raise
        self._written += len(octets)
        self._used += len(octets)
        if self._written >= self._segment_size:
            self.seal()

    def seal(self) -> None:
        """End the segment that is being written, so that it can be read."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def size(self) -> int:
        """Return how many octets wait, whoever wrote them."""
        return sum(_size(path) for path in self._directory.glob(f"*{_ENDING}"))

    def segments(self) -> Generator[Segment, None, None]:
        """Yield complete segments, oldest first, each kept from other readers until the next is asked for."""
        for path in sorted(self._directory.glob(f"*{_ENDING}")):
            with _unowned(path) as is_ours:
                if is_ours:
                    yield _read(path)

    def _open(self) -> None:
        """Begin a segment; it is locked before it gets the name that readers look for."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._used = self.size()
        name = f"{time.time_ns():020d}-{os.getpid()}"
        hidden = self._directory / f".{name}"
        handle = os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        hidden.rename(self._directory / f"{name}{_ENDING}")
        _sync_directory(self._directory)
        self._handle, self._written = handle, 0


def _write(record: bytes) -> bytes:
    if b"\n" in record:
        raise ValueError("A record of a spool is one line.")
    return keyed_hash(_PURPOSE, record).hex().encode() + record + b"\n"


def _write_all(handle: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fdatasync(handle)


def _read(path: Path) -> Segment:
    lines = path.read_bytes().split(b"\n")
    if not lines[-1]:
        lines.pop()
    records = [record for line in lines if (record := _believe(line)) is not None]
    return Segment(records, len(lines) - len(records), path)


def _believe(line: bytes) -> bytes | None:
    try:
        mac = bytes.fromhex(line[:_HEX].decode("ascii"))
    except ValueError:
        return None
    return unsign(_PURPOSE, line[_HEX:] + mac) if len(mac) == MAC_SIZE else None


@contextmanager
def _unowned(path: Path) -> Iterator[bool]:
    """Hold the lock of a segment; False when its writer or another reader has it, or it is gone by now."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield os.fstat(handle).st_nlink > 0
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
