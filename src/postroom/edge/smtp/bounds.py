"""How many clients a server talks to at a time: each may have it hold a whole mail in memory."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass(slots=True)
class Crowd:
    """The clients of one server, at most ``most`` of them."""

    most: int
    clients: "set[BoundedSMTP]" = field(default_factory=set)

    def hang_up(self) -> None:
        """Break every connection off."""
        for client in list(self.clients):
            if isinstance(client.transport, asyncio.WriteTransport):
                client.transport.abort()


class BoundedSMTP(SMTP):
    """Turns a client away for now (RFC 5321, section 3.8) when the crowd is large enough."""

    def __init__(self, crowd: Crowd, handler: object, **options: Any) -> None:
        super().__init__(handler, **options)
        self._crowd = crowd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet the client, or turn it away; one that begins TLS is greeted already."""
        if self in self._crowd.clients or len(self._crowd.clients) < self._crowd.most:
            self._crowd.clients.add(self)
            super().connection_made(transport)
        elif isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections, try again later\r\n")
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for another."""
        if self in self._crowd.clients:
            self._crowd.clients.discard(self)
            super().connection_lost(error)
