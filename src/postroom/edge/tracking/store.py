"""Where the hits of this process become durable: in the database by a group commit over a connection of its own, or on
the local disk while the database is away, from where they follow as soon as it is back.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Final

import psycopg
import structlog

from postroom.core.mail.services.hits import COPY_HITS
from postroom.core.mail.types import NOTIFY_HITS
from postroom.edge.disk import Disk
from postroom.kit.copy_stream import CopyStream
from postroom.kit.group_commit import GroupCommit
from postroom.kit.notify import connection_parameters

_PATIENCE_S: Final = 0.5  # a commit that takes longer goes to the disk too; equal keys count once
_NOTIFY: Final = f"NOTIFY {NOTIFY_HITS}".encode("ascii")
_NOTIFY_EVERY_S: Final = 0.2  # every word costs all commits of the cluster a lock, and the appliers look by themselves

log = structlog.get_logger(__name__)


class HitStore:
    """Stores hits, as lines of ``hit_line``, for one event loop."""

    def __init__(self, disk: Disk) -> None:
        self.is_away = False
        self._disk = disk
        self._live = CopyStream(connection_parameters(), _PATIENCE_S)
        self._replaying = CopyStream(connection_parameters(), 10 * _PATIENCE_S)
        self._commits = GroupCommit[bytes](self._store)
        self._notified_at = 0.0

    async def put(self, line: bytes) -> None:
        """Return once ``line`` is durable. Raises QueueFull, SpoolFull or OSError."""
        await self._commits.put(line)

    async def look(self) -> None:
        """See whether the database is back, and bring it what waits. Raises psycopg.Error and OSError."""
        if self.is_away:
            await self._replaying.copy(COPY_HITS, b"")
            self.is_away = False
            log.info("edge.database_back")
        await self._disk.replay(self._bring)

    async def close(self) -> None:
        """Make durable what is waiting, then hang up."""
        await self._commits.drain()
        self._live.close()
        self._replaying.close()
        await self._disk.close()

    async def _store(self, lines: Sequence[bytes]) -> None:
        if not self.is_away:
            try:
                await self._commit(lines)
                return
            except psycopg.Error as error:
                self.is_away = True
                log.warning("edge.database_away", error=type(error).__name__)
        await self._disk.keep(lines)

    async def _commit(self, lines: Sequence[bytes]) -> None:
        """Try twice, since the server may have been restarted."""
        octets = b"\n".join(lines)
        try:
            await self._live.copy(COPY_HITS, octets)
        except psycopg.errors.ConnectionTimeout:
            raise
        except psycopg.OperationalError:
            await self._live.copy(COPY_HITS, octets)
        now = monotonic()
        if now - self._notified_at >= _NOTIFY_EVERY_S:
            self._notified_at = now
            await self._live.execute(_NOTIFY)

    async def _bring(self, lines: Sequence[bytes]) -> None:
        """Store lines from the disk; one that the database refuses is left out instead of keeping all others back."""
        try:
            await self._replaying.copy(COPY_HITS, b"\n".join(lines))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(lines) == 1:
                log.error("edge.hit_refused", error=type(error).__name__)
                return
            middle = len(lines) // 2
            await self._bring(lines[:middle])
            await self._bring(lines[middle:])
