"""The ``postroom smtp`` process: the inbound port and the sandbox port, until a signal says stop."""

import asyncio
import os
import signal
from functools import partial
from typing import Any, Final

import django
import structlog

from postroom.edge.smtp.bounds import BoundedSMTP, Crowd
from postroom.edge.smtp.threads import close_connections

log = structlog.get_logger(__name__)

MAX_CLIENTS: Final = 100
MAX_OWN_CLIENTS: Final = 1000
IDLE_TIMEOUT_S: Final = 300  # RFC 5321, section 4.5.3.2.7: a server waits at least five minutes for a command


def main() -> None:
    """Run both servers in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
    django.setup()
    asyncio.run(serve())


async def serve() -> None:
    """Listen on both ports until SIGTERM or SIGINT, then stop taking connections and return."""
    from django.conf import settings

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = [
        await listen_inbound(settings.SMTP_HOST, settings.SMTP_PORT),
        await listen_sandbox(settings.SANDBOX_HOST, settings.SANDBOX_PORT),
    ]
    log.info("smtp ready", inbound=settings.SMTP_PORT, sandbox=settings.SANDBOX_PORT)
    await stop.wait()
    for server in servers:
        server.close()
    close_connections()


async def listen_inbound(host: str, port: int) -> asyncio.Server:
    """Open the port on which bounces, complaints and replies come back."""
    from django.conf import settings

    from postroom.edge.smtp.inbound import MAX_OCTETS, InboundHandler

    names = {"hostname": str(settings.INBOUND_DOMAIN), "ident": "Postroom"}
    return await _listen(host, port, Crowd(MAX_CLIENTS), InboundHandler(), data_size_limit=MAX_OCTETS, **names)


async def listen_sandbox(host: str, port: int) -> asyncio.Server:
    """Open the port of the server that stands in for the world."""
    from postroom.edge.smtp.sandbox import MAX_OCTETS, SandboxHandler

    names = {"hostname": "sandbox.localhost", "ident": "Postroom sandbox"}
    return await _listen(host, port, Crowd(MAX_OWN_CLIENTS), SandboxHandler(), data_size_limit=MAX_OCTETS, **names)


async def _listen(host: str, port: int, crowd: Crowd, handler: object, **options: Any) -> asyncio.Server:
    factory = partial(
        BoundedSMTP,
        crowd,
        handler,
        enable_SMTPUTF8=True,
        decode_data=False,
        timeout=IDLE_TIMEOUT_S,
        **options,
    )
    return await asyncio.get_running_loop().create_server(factory, host, port, reuse_address=True)


if __name__ == "__main__":
    main()
