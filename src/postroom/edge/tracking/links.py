"""Where click tokens lead: looked up once, remembered after, since a stored link never changes."""

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from django.db import close_old_connections, connections
from django.utils.encoding import iri_to_uri

from postroom.core.mail.selectors.links import find_link

_REMEMBERED: Final = 50_000
_SCHEMES: Final = {"http", "https"}


class Links:
    """The addresses of tracked links, the most recently used in memory."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="links")

    async def find(self, content_id: int, index: int) -> str | None:
        """Return the address in the form a Location header takes, or None. Raises django.db.DatabaseError."""
        key = (content_id, index)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        url = await asyncio.get_running_loop().run_in_executor(self._thread, _look_up, content_id, index)
        if url is not None:
            self._known[key] = url
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return url

    def close(self) -> None:
        """Give the database connection back."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown()


def _look_up(content_id: int, index: int) -> str | None:
    close_old_connections()
    url = find_link(content_id=content_id, index=index)
    # Composing refuses other addresses; a row that came in some other way still leads nowhere.
    return iri_to_uri(url) if url is not None and _is_web_address(url) else None


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc)
