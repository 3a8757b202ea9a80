"""Accepted keys are believed for a second, and so are refused ones: most requests look nobody up."""

from collections import OrderedDict
from threading import Lock
from time import monotonic
from typing import Final

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.errors import BadKey
from postroom.core.workspaces.rules import digest_secret
from postroom.core.workspaces.services import KeyIdentity
from postroom.core.workspaces.types import Door
from postroom.kit import clock

BELIEVED_S: Final = 1.0
"""A revoked key opens nothing any more after so long."""
REMEMBERED: Final = 10_000
"""How many keys of each kind, good and bad, are remembered; whoever makes up keys pushes out made-up ones only."""

_Key = tuple[Door, bytes]
_Known = OrderedDict[_Key, tuple[float, KeyIdentity | None]]


class KeyCache:
    """Keys by their digests, for all threads of a process; what is remembered was looked up at most a second ago."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._good: _Known = OrderedDict()
        self._bad: _Known = OrderedDict()

    def recall(self, secret: str, door: Door) -> tuple[bool, KeyIdentity | None]:
        """Return whether the key is known still, and whom it speaks for: nobody, if it is a bad one."""
        key = (door, digest_secret(secret))
        with self._lock:
            until, identity = self._good.get(key) or self._bad.get(key) or (0.0, None)
        return monotonic() < until, identity

    def find(self, secret: str, door: Door) -> KeyIdentity | None:
        """Return whom a key speaks for, None when it opens nothing at this door. Raises django.db.DatabaseError."""
        is_known, identity = self.recall(secret, door)
        if is_known:
            return identity
        until = monotonic() + BELIEVED_S  # from before the look: what happens during it is not known yet
        try:
            identity = workspaces.authenticate_key(secret=secret, door=door, now=clock.now())
        except BadKey:
            identity = None
        self._remember((door, digest_secret(secret)), until, identity)
        return identity

    def forget(self) -> None:
        """Look everybody up again."""
        with self._lock:
            self._good.clear()
            self._bad.clear()

    def _remember(self, key: _Key, until: float, identity: KeyIdentity | None) -> None:
        with self._lock:
            self._good.pop(key, None)
            self._bad.pop(key, None)
            known = self._bad if identity is None else self._good
            known[key] = (until, identity)
            while len(known) > REMEMBERED:
                known.popitem(last=False)


KEYS: Final = KeyCache()
"""Those of this process."""
