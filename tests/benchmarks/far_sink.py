"""A mail server far away: it takes everything, each reply a while late; with TLS and a sign-in if asked.

``python -m tests.benchmarks.far_sink DELAY_MS [CERTIFICATE KEY]`` prints its port and serves until it is ended.
"""

import asyncio
import ssl
import sys
from typing import Any, cast

import uvloop

_OFFERS = (b"far.example", b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES")
_END = b"\r\n.\r\n"


class Server(asyncio.Protocol):
    """One connection. Commands that came in one packet are answered in one, as a real server over a real line does."""

    def __init__(self, delay_s: float, tls: ssl.SSLContext | None) -> None:
        self._delay_s = delay_s
        self._tls = tls
        self._input = bytearray()
        self._in_content = False
        self._replies = bytearray()
        self._is_gone = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or take the encrypted transport."""
        is_first = not hasattr(self, "_transport")
        self._transport = cast(asyncio.Transport, transport)
        if is_first:
            self._transport.write(b"220 far.example ESMTP\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Say nothing more."""
        self._is_gone = True

    def data_received(self, data: bytes) -> None:
        """Work off what is whole; the replies leave together."""
        self._input += data
        while self._step():
            pass
        if self._replies:
            replies, self._replies = bytes(self._replies), bytearray()
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, self._send, replies)
            else:
                self._send(replies)

    def _send(self, replies: bytes) -> None:
        if not self._is_gone:
            self._transport.write(replies)

    def _step(self) -> bool:
        if self._in_content:
            end = self._input.find(_END)
            if end < 0:
                return False
            del self._input[: end + len(_END)]
            self._in_content = False
            self._replies += b"250 2.0.0 Ok: queued as FAR\r\n"
            return True
        end = self._input.find(b"\r\n")
        if end < 0:
            return False
        verb = bytes(self._input[:4]).upper()
        del self._input[: end + 2]
        self._answer(verb)
        return True

    def _answer(self, verb: bytes) -> None:
        if verb == b"DATA":
            self._in_content = True
            self._replies += b"354 go ahead\r\n"
        elif verb in (b"EHLO", b"HELO"):
            is_plain = self._tls is not None and self._transport.get_extra_info("ssl_object") is None
            offers = [*_OFFERS, *([b"STARTTLS"] if is_plain else [b"AUTH PLAIN LOGIN"])]
            self._replies += b"".join(b"250-%s\r\n" % offer for offer in offers[:-1]) + b"250 %s\r\n" % offers[-1]
        elif verb == b"STAR" and self._tls is not None:
            self._replies.clear()
            self._transport.write(b"220 go ahead\r\n")
            asyncio.get_running_loop().create_task(self._encrypt(self._tls))
        elif verb == b"AUTH":
            self._replies += b"235 2.7.0 Welcome\r\n"
        elif verb == b"QUIT":
            self._replies += b"221 2.0.0 Bye\r\n"
        else:
            self._replies += b"250 2.1.0 Ok\r\n"

    async def _encrypt(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        transport: Any = await loop.start_tls(self._transport, self, context, server_side=True)
        self._transport = transport


async def _serve(delay_s: float, tls: ssl.SSLContext | None) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Server(delay_s, tls), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve."""
    context = None
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    uvloop.run(_serve(float(sys.argv[1]) / 1000, context))


if __name__ == "__main__":
    main()
