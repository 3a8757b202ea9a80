"""The submission ports in a thread with a loop of its own, and a key to sign in with."""

import asyncio
import smtplib
import ssl
import threading
from pathlib import Path

from postroom.core.workspaces import services as workspaces
from postroom.core.workspaces.models import Workspace
from postroom.core.workspaces.types import SYSTEM, Door, NewKey, Role
from postroom.edge.smtp import server
from postroom.edge.smtp.threads import close_connections
from postroom.kit import clock
from postroom.kit.certificates import ServerCertificate, ensure_certificate
from tests.factories import make_user

TRUSTING = ssl.create_default_context()
TRUSTING.check_hostname = False
TRUSTING.verify_mode = ssl.CERT_NONE


class SubmissionServers:
    """Both ports, on free numbers."""

    def __init__(self, place: Path) -> None:
        self.paths = place / "certificate.pem", place / "key.pem"
        ensure_certificate(*self.paths, names=["localhost", "127.0.0.1"], now=clock.now())
        self.certificate = ServerCertificate(*self.paths)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._submission = server.Submission(self.certificate)
        self._servers = [self._listen(is_tls=False), self._listen(is_tls=True)]
        self.port, self.tls_port = self._submission.ports

    def _listen(self, *, is_tls: bool) -> asyncio.Server:
        listening = self._submission.listen("127.0.0.1", 0, is_tls=is_tls)
        return asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)

    def connect(self, *, is_tls: bool = False, key: str = "", user: str = "usesend") -> smtplib.SMTP:
        """Return a client behind TLS, signed in where a key is given."""
        if is_tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL("127.0.0.1", self.tls_port, timeout=20, context=TRUSTING)
        else:
            client = smtplib.SMTP("127.0.0.1", self.port, timeout=20)
            client.starttls(context=TRUSTING)
        if key:
            client.login(user, key)
        return client

    def close(self) -> None:
        for one in self._servers:
            self._loop.call_soon_threadsafe(one.close)
        asyncio.run_coroutine_threadsafe(self._submission.close(), self._loop).result(10)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), self._loop).result(10)  # until all have hung up
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        close_connections()


def make_key(workspace: Workspace, role: Role = Role.MEMBER, door: Door = Door.USESEND, **new: object) -> str:
    """Return the secret of a key."""
    user = make_user(workspace=workspace, role=role)
    order = NewKey(door=door, name="Mailer", **new)  # type: ignore[arg-type]
    _, secret = workspaces.create_api_key(workspace=workspace, user=user, new=order, actor=SYSTEM, now=clock.now())
    return secret
