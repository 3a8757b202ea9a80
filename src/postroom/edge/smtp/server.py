"""The ``postroom smtp`` process: the inbound, the sandbox and the submission ports, until a signal says stop."""

import asyncio
import os
import signal
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import django
import structlog

from postroom.edge.smtp.bounds import BoundedSMTP, Crowd
from postroom.edge.smtp.threads import close_connections
from postroom.kit import clock
from postroom.kit.certificates import BadCertificate, ServerCertificate, ensure_certificate

log = structlog.get_logger(__name__)

MAX_CLIENTS: Final = 100
MAX_OWN_CLIENTS: Final = 1000
TLS_TIMEOUT_S: Final = 15
IDLE_TIMEOUT_S: Final = 300  # RFC 5321, section 4.5.3.2.7: a server waits at least five minutes for a command


def main() -> None:
    """Run both servers in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.config.settings")
    django.setup()
    asyncio.run(serve())


async def serve() -> None:
    """Listen on all ports until SIGTERM or SIGINT, then stop taking connections and return."""
    from django.conf import settings

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    servers = [
        await listen_inbound(settings.SMTP_HOST, settings.SMTP_PORT),
        await listen_sandbox(settings.SANDBOX_HOST, settings.SANDBOX_PORT),
    ]
    certificate = open_certificate()
    submission = Submission(certificate)
    servers += [
        await submission.listen(settings.SUBMISSION_HOST, settings.SUBMISSION_PORT),
        await submission.listen(settings.SUBMISSIONS_HOST, settings.SUBMISSIONS_PORT, is_tls=True),
    ]
    following = asyncio.create_task(follow_certificate(certificate))
    log.info("smtp ready", inbound=settings.SMTP_PORT, sandbox=settings.SANDBOX_PORT, submission=submission.ports)
    await stop.wait()
    following.cancel()
    for server in servers:
        server.close()
    await submission.close()
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


class Submission:
    """The two ports on which programs submit mail; both count into one crowd."""

    def __init__(self, certificate: ServerCertificate) -> None:
        from postroom.edge.smtp.submission import SubmissionHandler

        self.ports: list[int] = []
        self._certificate = certificate
        self._crowd = Crowd(MAX_CLIENTS)
        self._handler = SubmissionHandler()

    async def listen(self, host: str, port: int, *, is_tls: bool = False) -> asyncio.Server:
        """Open a port that begins with TLS, or in the clear and asks for STARTTLS."""
        from django.conf import settings

        from postroom.edge.smtp.submission import SubmissionSMTP

        factory = partial(
            SubmissionSMTP,
            self._crowd,
            self._handler,
            idle_timeout_s=IDLE_TIMEOUT_S,
            tls_context=None if is_tls else self._certificate.context,
            hostname=urlsplit(settings.PUBLIC_URL).hostname,
            ident="Postroom submission",
            enable_SMTPUTF8=True,
            decode_data=False,
        )
        tls: dict[str, Any] = (
            {"ssl": self._certificate.context, "ssl_handshake_timeout": TLS_TIMEOUT_S} if is_tls else {}
        )
        server = await asyncio.get_running_loop().create_server(factory, host, port, reuse_address=True, **tls)
        self.ports.append(server.sockets[0].getsockname()[1])
        return server

    async def close(self) -> None:
        """Make durable what is on its way, then hang up on everybody."""
        await self._handler.close()
        self._crowd.hang_up()


def open_certificate() -> ServerCertificate:
    """Return the certificate of the submission ports, making one that signs itself where none is configured.

    Raises BadCertificate.
    """
    from django.conf import settings

    if not settings.TLS_CERT:
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        names = list(dict.fromkeys((host, str(settings.MAIL_HOST), "localhost", "127.0.0.1")))
        ensure_certificate(settings.SUBMISSION_CERT, settings.SUBMISSION_KEY, names=names, now=clock.now())
    return ServerCertificate(settings.SUBMISSION_CERT, settings.SUBMISSION_KEY)


async def follow_certificate(certificate: ServerCertificate, every_s: float = 10.0) -> None:
    """Take a renewed certificate into use, for connections to come."""
    while True:
        await asyncio.sleep(every_s)
        try:
            if certificate.reload():
                log.info("certificate_reloaded")
        except BadCertificate as error:
            log.error("certificate_not_reloaded", error=str(error))


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
