"""Where click tokens lead: looked up once, remembered after, since a stored link never changes."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.db import OperationalError, close_old_connections, connections
from django.utils.encoding import iri_to_uri

from postroom.core.mail.selectors.links import find_link
from postroom.edge.tracking.shelf import find_on_shelf, shelf_path

_REMEMBERED: Final = 50_000
_PATIENCE_S: Final = 1.0  # a person is waiting
_SCHEMES: Final = {"http", "https"}


class Links:
    """The addresses of tracked links: the most recently used in memory, all of them in the database, and those of
    recent contents on the disk, for the time the database ``is_away``.
    """

    def __init__(self, directory: Path, is_away: Callable[[], bool] = lambda: False) -> None:
        self._known: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._is_away = is_away
        self._path = shelf_path(directory)
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="links")
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="shelf")

    async def find(self, content_id: int, index: int) -> str | None:
        """Return the address in the form a Location header takes, or None. Raises django.db.OperationalError."""
        key = (content_id, index)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        stored = await self._look_up(content_id, index)
        # Composing refuses other addresses; a row that came in some other way still leads nowhere.
        if stored is None or not _is_web_address(stored):
            return None
        self._known[key] = url = iri_to_uri(stored)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return url

    def close(self) -> None:
        """Give the database connection back."""
        self._database.submit(connections.close_all)
        self._database.shutdown()
        self._disk.shutdown()

    async def _look_up(self, content_id: int, index: int) -> str | None:
        loop = asyncio.get_running_loop()
        try:
            if self._is_away():
                raise OperationalError
            async with asyncio.timeout(_PATIENCE_S):
                return await loop.run_in_executor(self._database, _ask, content_id, index)
        except (OperationalError, TimeoutError) as error:
            url = await loop.run_in_executor(self._disk, find_on_shelf, self._path, content_id, index)
            if url is None:
                raise OperationalError("The database is away, and the link is not on the disk.") from error
            return url


def _ask(content_id: int, index: int) -> str | None:
    close_old_connections()
    return find_link(content_id=content_id, index=index)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc)
