"""The links of recent contents on this machine's disk, for the time the database is away."""

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from postroom.core.mail.selectors.links import find_newest_links, iter_links

Row = tuple[int, int, str, int]
"""Content, number, address, and the day (since 1970) on which the content was made."""

_KEPT: Final = timedelta(days=90)
_MOST: Final = 1_000_000
_PIECE: Final = 5_000
_DAY_S: Final = 86_400

# A content's key is taken before its transaction commits, so a lower one may come to light after a higher one: what is
# read begins behind the newest of a minute ago, and after a restart so many contents back.
_LOOKS_BACK: Final = 12
_CONTENTS_BACK: Final = 1_000

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS link (
    content INTEGER NOT NULL, number INTEGER NOT NULL, url TEXT NOT NULL, day INTEGER NOT NULL,
    PRIMARY KEY (content, number)
) WITHOUT ROWID
"""


def find_on_shelf(path: Path, content_id: int, index: int) -> str | None:
    """Return an address from the file of a ``Shelf``, or None; a file that cannot be read holds nothing."""
    query = "SELECT url FROM link WHERE content = ? AND number = ?"
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as connection:
        row = connection.execute(query, (content_id, index)).fetchone()
        return str(row[0]) if row else None
    return None


class Shelf:
    """Links in a file that all processes of this machine may read and one writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None

    def newest(self) -> int:
        """Return the highest content. Raises sqlite3.Error."""
        (newest,) = self._connect().execute("SELECT max(content) FROM link").fetchone()
        return int(newest or 0)

    def add(self, rows: Iterable[Row]) -> None:
        """Put links there, in place of what stood there. Raises sqlite3.Error."""
        remaining = iter(rows)
        while piece := list(islice(remaining, _PIECE)):
            with self._connect() as transaction:
                transaction.executemany("INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?)", piece)

    def thin(self, oldest_day: int) -> None:
        """Forget links from before ``oldest_day``, and the oldest of too many. Raises sqlite3.Error."""
        with self._connect() as transaction:
            transaction.execute("DELETE FROM link WHERE day < ?", (oldest_day,))
            beyond = "SELECT content FROM link ORDER BY content DESC LIMIT 1 OFFSET ?"
            transaction.execute(f"DELETE FROM link WHERE content <= ({beyond})", (_MOST,))  # noqa: S608 - all of it ours

    def clear(self) -> None:
        """Forget everything; a file that cannot be read is no hindrance."""
        self.close()
        for path in self._path.parent.glob(f"{self._path.name}*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def _connect(self) -> sqlite3.Connection:
        if self._open is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = sqlite3.connect(self._path, timeout=5)
            self._open.execute("PRAGMA journal_mode = WAL")
            self._open.execute("PRAGMA synchronous = NORMAL")
            self._open.execute(_TABLE)
        return self._open


class ShelfKeeper:
    """Keeps the shelf of this machine up to date; of all processes that would, the first one does."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._shelf = Shelf(shelf_path(directory))
        self._lock: int | None = None
        self._newest_then: deque[int] = deque(maxlen=_LOOKS_BACK)

    def look(self, now: datetime) -> None:
        """Bring in what is new. Raises django.db.DatabaseError."""
        if not self._is_mine():
            return
        try:
            self._catch_up(now)
        except sqlite3.Error:
            self._shelf.clear()
            self._newest_then.clear()

    def close(self) -> None:
        """Let another process take over."""
        self._shelf.close()
        if self._lock is not None:
            os.close(self._lock)

    def _catch_up(self, now: datetime) -> None:
        newest, known = find_newest_links(), self._shelf.newest()
        if newest < known:  # another database, or an older one: nothing that was noted holds
            self._shelf.clear()
            self._newest_then.clear()
            known = 0
        since = now - _KEPT
        if not self._newest_then:
            self._shelf.thin(_day(since))
        after = self._newest_then[0] if self._newest_then else max(known - _CONTENTS_BACK, 0)
        if newest > after:
            links = iter_links(after=after, since=since)
            self._shelf.add((content, index, url, _day(at)) for content, index, url, at in links)
        self._newest_then.append(newest)

    def _is_mine(self) -> bool:
        """A process holds the lock until it ends, however it ends."""
        if self._lock is not None:
            return True
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._directory / "links.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True


def shelf_path(directory: Path) -> Path:
    """Return the file of links below the edge's directory."""
    return directory / "links.sqlite3"


def _day(at: datetime) -> int:
    return int(at.timestamp()) // _DAY_S
