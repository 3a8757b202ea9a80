"""A developer's provider: each mail becomes a file and a line of the log, and nothing leaves the machine."""

from pathlib import Path

import structlog

from postroom.core.mail.ports import Envelope, Outbox, Outcome, Result
from postroom.kit.errors import Unavailable
from postroom.providers.smtp.guarded import GuardedOutbox

log = structlog.get_logger(__name__)


class EchoTransport:
    """A transport (see ``core.mail.ports``) into a directory, one ``.eml`` file per message."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def run(self, outbox: Outbox) -> None:
        """Write everything ``outbox`` gives. Raises Unavailable when the directory cannot be written."""
        guarded = GuardedOutbox(outbox)
        while (envelope := guarded.take()) is not None:
            if not guarded.may_leave(envelope):
                guarded.give_back(envelope)
                continue
            guarded.record(envelope, self._write(guarded, envelope))
        if guarded.failure is not None:
            raise guarded.failure

    async def close(self) -> None:
        """There is nothing to close."""

    def _write(self, guarded: GuardedOutbox, envelope: Envelope) -> Result:
        path = self._directory / f"{envelope.message_id}.eml"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(envelope.body)
        except OSError as error:
            guarded.give_back(envelope)
            raise Unavailable(f"{self._directory} cannot be written: {error.strerror}.") from error
        log.info("mail_echoed", message_id=envelope.message_id, octets=len(envelope.body), path=str(path))
        return Result(Outcome.SENT, 250, text=f"Written to {path.name}.", session=f"echo {self._directory}")
