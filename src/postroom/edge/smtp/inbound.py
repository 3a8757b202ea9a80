"""Takes mail for our own inbound domain: bounces, complaints and replies, and nothing else."""

from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings

from postroom.core.mail import services as mail
from postroom.core.mail.rules import tokens
from postroom.core.mail.rules.dns_records import RETURN_LABEL
from postroom.core.mail.types import InboundMail
from postroom.edge.smtp.storing import answer_when_stored
from postroom.edge.smtp.threads import in_database_thread
from postroom.kit import clock

MAX_OCTETS: Final = 25 * 1024 * 1024
MAX_RECIPIENTS: Final = 100

# RFC 2142 names, and the address given to mailbox providers for their feedback reports.
_ROLES: Final = frozenset({"abuse", "postmaster", "fbl"})


class InboundHandler:
    """What to say to a client of the inbound port."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take only addresses we gave out ourselves, so the port is neither a relay nor a target for guesses."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if not is_ours(address):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Say 250 only when the mail is committed (RFC 5321, section 6.1)."""
        mail_from, raw = envelope.mail_from or "", envelope.content
        if not isinstance(raw, bytes):
            return "554 5.6.0 Unreadable message"
        arrived = InboundMail(mail_from[:320], tuple(address[:320] for address in envelope.rcpt_tos), raw)
        storing = in_database_thread(lambda: mail.store_inbound(mail=arrived, now=clock.now()))
        return await answer_when_stored(storing, "250 2.0.0 Stored")


def is_ours(address: str) -> bool:
    """Whether ``address`` is a return path or reply address with a true signature, or a role of the inbound domain.

    A signed return path may also be of a sending domain: what is below it and leads here. Whose that is need not be
    asked, for the signature names the message.
    """
    local_part, _, domain = address.rpartition("@")
    if domain.lower().startswith(f"{RETURN_LABEL}."):
        return tokens.read_bounce(local_part) is not None
    if domain.lower() != settings.INBOUND_DOMAIN.lower():
        return False
    signed = tokens.read_bounce(local_part) or tokens.read_reply(local_part)
    return signed is not None or local_part.lower() in _ROLES
