"""One connection as octets and replies; who listens to the replies changes from signing in to handing over."""

import asyncio
from typing import Final, Protocol, cast

from postroom.providers.smtp.replies import BadReply, ReplyReader

HIGH_WATER: Final = 64 * 1024
"""Unsent octets above which a connection counts as backed up, until all of them have left."""


class Listener(Protocol):
    """Whoever answers for the connection at present."""

    def on_reply(self, code: int, text: bytes) -> None:
        """Hear one complete reply."""
        ...

    def on_lost(self, reason: str) -> None:
        """Hear, once, that the connection is gone."""
        ...


class Wire(asyncio.Protocol):
    """A connection: replies go to ``listener`` in order, ``is_backed_up`` says that the server does not read."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.is_open = False
        self.is_backed_up = False
        self._reader = ReplyReader()
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        """The transport underneath; STARTTLS exchanges it."""
        if self._transport is None:
            raise ConnectionResetError("not connected")
        return self._transport

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
        try:
            replies = self._reader.feed(data)
        except BadReply as error:
            self.lose(f"it sent {error}")
            return
        for code, text in replies:
            if self.is_open:
                self.listener.on_reply(code, text)

    def pause_writing(self) -> None:
        """Note that the server is slower than we are."""
        self.is_backed_up = True

    def resume_writing(self) -> None:
        """Note that everything written has left."""
        self.is_backed_up = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the listener, unless we closed the connection ourselves."""
        self.lose("it closed the connection" if exc is None else f"the connection broke ({exc})")

    def write(self, octets: bytes) -> None:
        """Send ``octets``."""
        self.transport.write(octets)

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
