"""One connection as octets and replies; who listens to the replies changes from signing in to handing over."""

import asyncio
from typing import Final, Protocol, cast

from postroom.providers.smtp.replies import BadReply, ReplyReader

HIGH_WATER: Final = 64 * 1024
"""What is larger leaves in pieces of this size, each when the one before has left."""


class Listener(Protocol):
    """Whoever answers for the connection at present."""

    def on_octets(self, octets: bytes) -> bytes:
        """Take what is understood at a glance, with no reply half-read; return the rest."""
        ...

    def on_reply(self, code: int, text: bytes) -> None:
        """Hear one complete reply."""
        ...

    def on_lost(self, reason: str) -> None:
        """Hear, once, that the connection is gone."""
        ...


class Wire(asyncio.Protocol):
    """A connection: replies go to ``listener`` in order."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.is_open = False
        self._is_paused = False
        self._unsent = memoryview(b"")
        self._reader = ReplyReader()
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """The transport underneath; STARTTLS exchanges it."""
        if self._transport is None:
            raise ConnectionResetError("not connected")
        return self._transport

    @property
    def is_backed_up(self) -> bool:
        """Whether the server does not read as fast as we write: the end of what was written is still with us."""
        return self._is_paused or len(self._unsent) > 0

    @property
    def unsent(self) -> int:
        """How many octets have not left, as far as we can tell."""
        return len(self._unsent) + self.transport.get_write_buffer_size()

    @property
    def has_unread(self) -> bool:
        """Whether part of a further reply has arrived already."""
        return not self._reader.is_empty

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the fresh transport."""
        self.adopt(cast(asyncio.Transport, transport))
        self.is_open = True

    def adopt(self, transport: asyncio.Transport) -> None:
        """Write to ``transport`` from now on."""
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER, low=0)

    def data_received(self, data: bytes) -> None:
        """Pass the replies in ``data`` on; what is no SMTP ends the connection."""
        if self._reader.is_empty and self.is_open:
            data = self.listener.on_octets(data)
            if not data:
                return
        try:
            for code, text in self._reader.feed(data):
                if self.is_open:
                    self.listener.on_reply(code, text)
        except BadReply as error:
            self.lose(f"it sent {error}")

    def pause_writing(self) -> None:
        """Note that the server is slower than we are."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Send on: everything written so far has left."""
        self._is_paused = False
        self._feed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener, unless we closed the connection ourselves."""
        self.lose("it closed the connection" if exc is None else f"the connection broke ({exc})")

    def write(self, octets: bytes) -> None:
        """Send ``octets``, a large lot piece by piece."""
        if len(octets) <= HIGH_WATER and not self._unsent:
            self.transport.write(octets)
        else:
            self._unsent = memoryview(bytes(self._unsent) + octets)
            self._feed()

    def _feed(self) -> None:
        while self._unsent and self.is_open and not self._is_paused:
            piece, self._unsent = self._unsent[:HIGH_WATER], self._unsent[HIGH_WATER:]
            self.transport.write(bytes(piece))

    def lose(self, reason: str) -> None:
        """Drop the connection at once and tell the listener why. Nothing happens when it is gone already."""
        if self.is_open:
            self.is_open = False
            self.transport.abort()
            self.listener.on_lost(reason)

    def hang_up(self) -> None:
        """Drop the connection without telling anybody."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()
