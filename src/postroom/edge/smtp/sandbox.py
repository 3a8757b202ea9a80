"""Stands in for the world: takes every mail, keeps it, and lets magic recipients answer."""

from collections.abc import Sequence
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from postroom.core.mail import services as mail
from postroom.core.mail.types import CapturedMail
from postroom.edge.smtp.storing import answer_when_stored
from postroom.edge.smtp.threads import in_database_thread
from postroom.kit import clock
from postroom.kit.group_commit import GroupCommit

MAX_OCTETS: Final = 50 * 1024 * 1024


class SandboxHandler:
    """What to say to a client of the sandbox port. Mails that arrive together share a commit."""

    def __init__(self) -> None:
        self._store = GroupCommit(_store)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Say 250 when the mail is committed."""
        if not isinstance(envelope.content, bytes):
            return "554 5.6.0 Unreadable message"
        captured = CapturedMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.content)
        return await answer_when_stored(self._store.put(captured), "250 2.0.0 Taken by the sandbox")


async def _store(mails: Sequence[CapturedMail]) -> None:
    await in_database_thread(lambda: mail.store_sandbox_mails(mails=mails, now=clock.now()))
